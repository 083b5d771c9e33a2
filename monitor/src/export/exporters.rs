//! All exporters: started, changed and ended together, on a thread of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::export::formats::Formatter;
use crate::export::reader::Reader;
use crate::export::settings::{ExportSettings, Format};
use crate::export::status::{ExporterStatus, TestDelivery};
use crate::export::trial;
use crate::export::worker::{Ask, Start, Worker};
use crate::record::event::Host;
use crate::record::tail::Tail;

/// How long what is under way may take at the end.
const GRACE: Duration = Duration::from_secs(3);
/// How long a test delivery may wait for the exporter to be free.
const TEST_WAIT: Duration = Duration::from_secs(25);

/// Why a test event did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// No exporter has this name.
    #[error("there is no exporter {0:?}")]
    Unknown(String),
    /// The destination did not take it; why.
    #[error("{0}")]
    Failed(String),
}

struct Running {
    settings: ExportSettings,
    status: Arc<Mutex<ExporterStatus>>,
    asks: mpsc::Sender<Ask>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// The exporters of a daemon.
pub struct Exporters {
    cursors: PathBuf,
    tail: Tail,
    host: Host,
    running: Mutex<BTreeMap<String, Running>>,
    runtime: Mutex<Option<Runtime>>,
}

impl Exporters {
    /// Starts one exporter for each of `settings`. `cursors` is their directory, which is created (mode 0700) where it
    /// is missing; they read `tail`, and name `host`.
    ///
    /// # Errors
    /// Where the directory cannot be made, or no thread be started.
    pub fn start(
        cursors: &Path,
        tail: Tail,
        host: Host,
        settings: &[ExportSettings],
    ) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(cursors)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(8)
            .thread_name("export")
            .enable_all()
            .build()?;
        let exporters = Self {
            cursors: cursors.to_owned(),
            tail,
            host,
            running: Mutex::default(),
            runtime: Mutex::new(Some(runtime)),
        };
        for one in settings {
            exporters.add(one);
        }
        Ok(exporters)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, settings: &ExportSettings) {
        let name = &settings.name;
        let status = Arc::new(Mutex::new(ExporterStatus {
            name: name.clone(),
            destination: settings.destination.word().to_owned(),
            place: settings.destination.place(),
            format: settings.format.word().to_owned(),
            spool_limit: settings.spool,
            ..ExporterStatus::default()
        }));
        let (asks, asked) = mpsc::channel(4);
        let (stop, stopped) = watch::channel(false);
        let machine = self.host.machine_id.as_deref().unwrap_or(&self.host.name);
        let chained = settings.integrity && settings.format == Format::Ocsf;
        let reader = Reader {
            tail: self.tail.clone(),
            filter: settings.filter.clone(),
            redact: settings.redact,
            formatter: Formatter {
                format: settings.format,
                chain: chained.then(|| format!("scopeward:{machine}:{name}")),
            },
            most: settings.batch,
        };
        let worker = Worker::new(Start {
            settings: settings.clone(),
            reader,
            cursors: &self.cursors,
            status: Arc::clone(&status),
            asks: asked,
            stop: stopped,
        });
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(runtime) = runtime.as_ref() else {
            return;
        };
        let task = runtime.spawn(worker.run());
        let running = Running {
            settings: settings.clone(),
            status,
            asks,
            stop,
            task,
        };
        self.lock().insert(name.clone(), running);
    }

    /// Puts `settings` in force: what is new starts, what is gone ends, what is changed goes on from where it was. What
    /// stays as it is does not notice. Blocks.
    pub fn reload(&self, settings: &[ExportSettings]) {
        let mut ending = Vec::new();
        {
            let mut running = self.lock();
            let stale: Vec<String> = running
                .iter()
                .filter(|(_, one)| !settings.contains(&one.settings))
                .map(|(name, _)| name.clone())
                .collect();
            for name in stale {
                ending.extend(running.remove(&name).map(|one| (name, one)));
            }
        }
        for (name, one) in ending {
            end(&one);
            if !settings.iter().any(|other| other.name == name) {
                self.tail.holds.remove(&name);
                tracing::info!(exporter = name, "ended; its cursor stays");
            }
        }
        for one in settings {
            let runs = self.lock().contains_key(&one.name);
            if !runs {
                self.add(one);
            }
        }
    }

    /// How each is doing, by name.
    #[must_use]
    pub fn status(&self) -> Vec<ExporterStatus> {
        self.lock()
            .values()
            .map(|one| one.status.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .collect()
    }

    /// Sends a marked test event to the destination of exporter `name`, and waits until it is taken. Blocks.
    ///
    /// # Errors
    /// [`TestError`].
    pub fn test(&self, name: &str) -> Result<TestDelivery, TestError> {
        let unknown = || TestError::Unknown(name.to_owned());
        let asks = self.lock().get(name).ok_or_else(unknown)?.asks.clone();
        let event = trial::event(self.host.clone(), Timestamp::now());
        let id = event.id.clone();
        let (reply, answer) = oneshot::channel();
        let began = Instant::now();
        let handle = {
            let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
            runtime
                .as_ref()
                .map(|runtime| runtime.handle().clone())
                .ok_or_else(unknown)?
        };
        let busy = || {
            let seconds = TEST_WAIT.as_secs();
            TestError::Failed(format!(
                "the exporter did not get to it within {seconds} s: it is busy delivering"
            ))
        };
        let (done, waited) = std::sync::mpsc::channel();
        handle.spawn(async move {
            let asked = async {
                asks.send(Ask::Deliver(Box::new(event), reply)).await.ok()?;
                answer.await.ok()
            };
            // Whoever waits may have given up.
            drop(done.send(asked.await));
        });
        match waited.recv_timeout(TEST_WAIT) {
            Ok(Some(Ok(()))) => Ok(TestDelivery {
                name: name.to_owned(),
                event: id,
                milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            }),
            Ok(Some(Err(why))) => Err(TestError::Failed(why)),
            Ok(None) => Err(TestError::Failed("the exporter ends".to_owned())),
            Err(_) => Err(busy()),
        }
    }

    /// Ends all of them; what is under way gets a moment. What is not delivered stays in the store. Blocks.
    pub fn end(&self) {
        let running = std::mem::take(&mut *self.lock());
        for one in running.values() {
            one.stop.send_replace(true);
        }
        running.values().for_each(end);
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Exporters {
    fn drop(&mut self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

fn end(one: &Running) {
    one.stop.send_replace(true);
    let until = Instant::now() + GRACE;
    while !one.task.is_finished() {
        if Instant::now() >= until {
            one.task.abort();
            tracing::warn!(
                exporter = one.settings.name,
                "did not end in time; what was under way may be sent again"
            );
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
