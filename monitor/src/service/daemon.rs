//! The service, in the foreground.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::{
    api::{control::Control, routes::metrics, server::Server, socket::BindError},
    config::{file::Config, service::Reload},
    observe::{
        handover::Predecessor,
        load::{LoadError, Sizes, unpin},
        mounts::{self, MountError},
    },
    pipeline::{Monitor, pins},
    record::store::StoreError,
    service::{
        exporting::Exporting,
        fanotify, memory, notes, recall,
        settings::Settings,
        systemd::{self, HandedError},
    },
};

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another has the socket, or it cannot be made.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// What the service manager handed over.
    #[error(transparent)]
    Handed(#[from] HandedError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The kernel side.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// bpffs.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The runtime.
    #[error("run the daemon: {0}")]
    Io(#[from] std::io::Error),
}

/// Runs until SIGTERM or SIGINT. SIGHUP reads the scope files and `[[export]]` again. Sessions that still run then stay held by the
/// pinned programs; the next daemon adopts them, and [`release`] lets them go.
///
/// # Errors
/// [`DaemonError`].
pub async fn run(config: &Config) -> Result<(), DaemonError> {
    // Before anything is made: whoever ends it while it starts gets it ended whole.
    let told = Told::listen()?;
    let handed = systemd::handed_socket(&config.paths.socket())?;
    std::fs::create_dir_all(&config.paths.run)?;
    // The socket first: it is what a second daemon sees.
    let server = match handed {
        Some(listener) => Server::handed(listener, &config.paths.socket())?,
        None => Server::bind(&config.paths.socket())?,
    };
    let bpffs = mounts::bpffs(&config.paths.run)?;
    let pins = pins(&bpffs, &config.paths.run);
    let is_first = !pins.exists();
    let monitor = match start(config, pins.clone(), &told) {
        Ok(Some(monitor)) => monitor,
        unfinished => {
            // Nothing that an earlier daemon left may go with it.
            if is_first && Predecessor::find(&pins).is_empty() {
                unpin(&pins);
                mounts::unmount(&config.paths.run);
            }
            return unfinished.map(drop);
        }
    };
    let (policy, sentences) = config.api.policy();
    if !sentences.is_empty() {
        monitor.lock().set_degraded("api", Some(sentences.join("; ")));
    }
    tracing::info!(socket = %config.paths.socket().display(), "scopeward is running");
    systemd::ready(&format!(
        "{} scopes in force",
        monitor.lock().scopes.iter().count()
    ));
    let control: Arc<dyn Control> = monitor.clone();
    if let Some(address) = config.metrics.listen {
        let (monitor, control) = (monitor.clone(), control.clone());
        tokio::spawn(async move {
            if let Err(error) = metrics::serve(address, control).await {
                let sentence = format!("the metrics are not served on {address}: {error}");
                monitor.lock().set_degraded("metrics", Some(sentence));
            }
        });
    }
    let served = server
        .serve(control, policy, until_told(monitor.clone(), told))
        .await;
    if let Some(exporting) = monitor.exporting.get() {
        exporting.exporters.end();
    }
    systemd::stopping("what has happened is taken in");
    let sessions = monitor.end(true);
    if sessions > 0 {
        tracing::warn!(
            sessions,
            "ended; sessions stay held by the programs in the kernel; `scopeward daemon --release` lets them go"
        );
    }
    Ok(served?)
}

/// Brings up the store and the kernel side, and takes over what an earlier daemon left. `None` where it was told to end
/// meanwhile.
fn start(config: &Config, pins: PathBuf, told: &Told) -> Result<Option<Arc<Monitor>>, DaemonError> {
    let (store, exports) = Exporting::open_store(config)?;
    let mut sizes = Sizes {
        quota: config.limits.quota,
        ..Sizes::default()
    };
    sizes.members = sizes.members.min(config.limits.processes);
    sizes.ring = u32::try_from(config.limits.ring.0.next_power_of_two()).unwrap_or(sizes.ring);
    let settings = Settings {
        run: config.paths.run.clone(),
        scopes: config.paths.scopes.clone(),
        pins: Some(pins),
        notes: Some(config.paths.run.join("policies")),
        evidence: Some(config.paths.evidence()),
        cases: Some(config.paths.store()),
        own: config.own(),
        sizes,
        automatic_reload: config.service.reload == Reload::Automatic,
    };
    if told.to_end() {
        return Ok(None);
    }
    let (monitor, ring) = Monitor::load(settings, Some(store))?;
    Exporting::start(&monitor, config, &exports)?;
    notes::adopt(&monitor);
    if told.to_end() {
        monitor.end(true);
        return Ok(None);
    }
    recall::begin(&monitor);
    monitor.recall_cases();
    memory::give_back();
    monitor.begin(ring);
    {
        let mut state = monitor.lock();
        state.scopes.reload(true);
        state.apply_scopes();
        state.recognise_running();
    }
    fanotify::refresh(&monitor);
    Ok(Some(monitor))
}

/// What the daemon is told by signals, from its first moment on.
struct Told {
    ending: watch::Receiver<bool>,
    hangup: Signal,
}

impl Told {
    fn listen() -> std::io::Result<Self> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let hangup = signal(SignalKind::hangup())?;
        let (end, ending) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            end.send_replace(true);
        });
        Ok(Self { ending, hangup })
    }

    fn to_end(&self) -> bool {
        *self.ending.borrow()
    }
}

async fn until_told(monitor: Arc<Monitor>, told: Told) {
    let Told {
        mut ending,
        mut hangup,
    } = told;
    loop {
        // An error means that nobody can tell any more: the end as well.
        let ended = async { drop(ending.wait_for(|end| *end).await) };
        tokio::select! {
            () = ended => return,
            _ = hangup.recv() => {
                let monitor = monitor.clone();
                // Reads files: not on the runtime's own thread.
                drop(tokio::task::spawn_blocking(move || monitor.reload()).await);
            }
        }
    }
}

/// Takes the programs of a daemon that is gone out of the kernel: nothing is held any more. Returns how many pins there
/// were.
///
/// # Errors
/// [`MountError`] where there is no bpffs.
pub fn release(run: &Path) -> Result<usize, MountError> {
    let pins = pins(&mounts::bpffs(run)?, run);
    let others: usize = Predecessor::find(&pins)
        .into_iter()
        .map(Predecessor::remove)
        .sum();
    let removed = others + unpin(&pins);
    // Of use with the pins alone.
    drop(std::fs::remove_dir_all(run.join("policies")));
    mounts::unmount(run);
    Ok(removed)
}
