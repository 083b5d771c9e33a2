//! The way of the data, every stage in order:
//!
//! ```text
//! kernel hook → ring → observe → decode → attribute → decide → ledger → respond → record → export → api → cli
//! ```
//!
//! What must happen before an act was decided in the kernel, from the maps that `decide::compile` filled. One thread
//! reads the ring and takes each event through the stages under one lock; fanotify's thread comes in at `decide` with
//! opens that wait for an answer. Records go to the store's queue and to whoever follows: neither ever waits.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::broadcast;

use crate::{
    attribute::{clock::Clock, processes::Processes, sessions::Sessions},
    decide::{compile::Names, grants::Grants},
    decode::{self, Body},
    ledger::book::Ledger,
    observe::{
        fanotify::Fanotify,
        load::{Kernel, LoadError},
        memberships::Memberships,
        mounts,
        ring::Ring,
    },
    record::{event::EventRecord, store::Store, writer::Writer},
    service::{
        cases::CaseBook,
        exporting::Exporting,
        fanotify,
        heartbeat::{self, Heartbeat},
        host_files::HostFiles,
        housekeeping,
        metrics::Figures,
        names::Known,
        policies::Policies,
        scopes::Scopes,
        settings::Settings,
        state::State,
        state::this_host,
    },
};

/// Events that a slow follower may lag behind before it reads from the store; the API remembers twice as many.
const FOLLOWED: usize = 8_192;
/// Events that are taken through the stages under one hold of the lock: a few hundred microseconds.
const BATCH: usize = 64;
/// How long the ring's thread waits when nothing comes: bounds how late it sees that it is to stop.
const IDLE: Duration = Duration::from_millis(200);
/// How long an ending monitor reads on while more comes: the rest stays in the pinned ring, for the next daemon.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The running monitor.
pub struct Monitor {
    state: Mutex<State>,
    /// Who is a member: for threads that must not wait for the lock.
    pub memberships: Memberships,
    store: Option<Store>,
    writer: Option<Writer>,
    followers: broadcast::Sender<Arc<EventRecord>>,
    /// Where events go besides the store; set once, by the daemon.
    pub exporting: OnceLock<Exporting>,
    fanotify: Mutex<Option<Fanotify>>,
    marks_stale: AtomicBool,
    names: Mutex<Known>,
    /// Records that were told since the start.
    pub told: AtomicU64,
    figures: Mutex<Figures>,
    /// Whether what the kernel tells comes through.
    pub heartbeat: Heartbeat,
    stop: AtomicBool,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// How it was set up.
    pub settings: Settings,
    /// When it started.
    pub since: jiff::Timestamp,
}

impl Monitor {
    /// Loads the kernel side. Events wait in the ring until [`Monitor::begin`]: what an earlier daemon left is taken
    /// over in between.
    ///
    /// # Errors
    /// [`LoadError`]; nothing stays attached then.
    pub fn load(settings: Settings, store: Option<Store>) -> Result<(Arc<Self>, Ring), LoadError> {
        let (kernel, ring) = Kernel::load(&settings.run, settings.pins.as_deref(), settings.sizes)?;
        let memberships = kernel.maps.memberships()?;
        let state = State {
            kernel,
            policies: Policies::guarding(settings.own_files()),
            scopes: Scopes::new(&settings.scopes),
            grants: Grants::default(),
            notes: settings.notes.clone(),
            evidence_due: Vec::new(),
            processes: Processes::default(),
            sessions: Sessions::default(),
            names: Names::default(),
            files: Arc::new(HostFiles::default()),
            clock: Clock::now(),
            host: this_host(),
            cgroup_root: mounts::cgroup2(&settings.run)?,
            emptied: Vec::new(),
            refused: std::collections::HashMap::new(),
            troubles: std::collections::BTreeMap::new(),
            degraded: std::collections::BTreeMap::new(),
            last_session: Clock::boot_ns(),
            last_id: None,
            ledger: Ledger::default(),
            cases: CaseBook::new(store.is_none()),
            answers: Vec::new(),
            settled: std::collections::BTreeMap::new(),
            braked: false,
            stopped: std::collections::BTreeSet::new(),
            rate: [0; 10],
        };
        let monitor = Arc::new(Self {
            state: Mutex::new(state),
            memberships,
            writer: store.as_ref().map(Store::writer),
            store,
            followers: broadcast::channel(FOLLOWED).0,
            exporting: OnceLock::new(),
            fanotify: Mutex::new(None),
            marks_stale: AtomicBool::new(true),
            names: Mutex::new(Known::default()),
            told: AtomicU64::new(0),
            figures: Mutex::new(Figures::default()),
            heartbeat: Heartbeat::default(),
            stop: AtomicBool::new(false),
            threads: Mutex::new(Vec::new()),
            settings,
            since: jiff::Timestamp::now(),
        });
        Ok((monitor, Ring::new(ring)))
    }

    /// Starts the threads.
    pub fn begin(self: &Arc<Self>, mut ring: Ring) {
        fanotify::start(self);
        let reader = Arc::clone(self);
        self.spawn("ring", move || reader.read(&mut ring));
        let keeper = Arc::clone(self);
        self.spawn("housekeeping", move || housekeeping::run(&keeper));
        if self.store.is_some() {
            let beating = Arc::clone(self);
            self.spawn("heartbeat", move || heartbeat::run(&beating));
        }
    }

    /// Starts a thread that [`Monitor::end`] waits for.
    pub fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) {
        match Builder::new().name(name.to_owned()).spawn(body) {
            Ok(thread) => self
                .threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(thread),
            Err(error) => tracing::error!(%error, name, "thread could not be started"),
        }
    }

    /// observe → decode → attribute → decide → respond → record, for every event of the ring; when the monitor ends,
    /// until nothing is left in it.
    fn read(self: &Arc<Self>, ring: &mut Ring) {
        let mut leave = None;
        while leave.is_none_or(|leave| Instant::now() < leave) {
            if leave.is_none() && self.stopping() {
                leave = Some(Instant::now() + LAST_WORDS);
            }
            let mut records = Vec::new();
            let mut sessions_changed = false;
            let mut batch = Vec::with_capacity(BATCH);
            let mut undecoded = 0;
            ring.drain(BATCH, |bytes| match decode::decode(bytes) {
                Ok(event) => batch.push(event),
                Err(_) => undecoded += 1,
            });
            if batch.is_empty() && undecoded == 0 {
                if leave.is_some() {
                    break;
                }
                ring.wait(IDLE);
                continue;
            }
            let mut state = self.lock();
            for _ in 0..undecoded {
                state.trouble("record could not be decoded");
            }
            for event in &batch {
                if event.body == Body::Heartbeat {
                    if let Some(writer) = &self.writer {
                        writer.mark(event.head.time);
                    }
                    continue;
                }
                let outcome = state.take(event);
                records.extend(outcome.records);
                records.append(&mut state.answers);
                sessions_changed |= outcome.sessions_changed;
            }
            // Under the lock: what is written in this order is exported in this order.
            self.record(records);
            drop(state);
            if sessions_changed {
                self.marks_stale.store(true, Ordering::Release);
            }
        }
    }

    /// record → followers. The store first, so that a follower who lags finds there what it missed.
    pub fn record(&self, records: Vec<EventRecord>) {
        let mut figures = self.figures();
        let now = jiff::Timestamp::now();
        for record in records {
            self.told.fetch_add(1, Ordering::Relaxed);
            figures.told(&record, now);
            let record = Arc::new(record);
            if let Some(writer) = &self.writer {
                writer.append(Arc::clone(&record));
            }
            // Nobody follows: that is no error.
            drop(self.followers.send(record));
        }
    }

    /// Works on the state, and records what `work` says is to be recorded.
    pub fn with_state<T>(&self, work: impl FnOnce(&mut State) -> (T, Vec<EventRecord>)) -> T {
        let mut state = self.lock();
        let (answer, mut records) = work(&mut state);
        records.append(&mut state.answers);
        self.record(records);
        drop(state);
        answer
    }

    /// The state. A thread that panicked with it has left it whole: every stage changes one thing at a time.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, where there is one.
    #[must_use]
    pub const fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// Every event from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<EventRecord>> {
        self.followers.subscribe()
    }

    /// Something that is guarded has changed on disk: policies are compiled again, and marks looked at.
    pub fn files_changed(&self) {
        self.marks_stale.store(true, Ordering::Release);
    }

    /// Whether marks have to be looked at; asking takes it back.
    pub fn take_marks_stale(&self) -> bool {
        self.marks_stale.swap(false, Ordering::AcqRel)
    }

    /// The fanotify tier, where this host gives it.
    pub fn fanotify(&self) -> MutexGuard<'_, Option<Fanotify>> {
        self.fanotify.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is counted for the metrics.
    pub fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What names stood for when they were last resolved.
    pub fn known_names(&self) -> MutexGuard<'_, Known> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a session for the next daemon.
    pub fn note(&self, key: u64) {
        let Some(directory) = self.settings.notes.as_deref() else {
            return;
        };
        let mut state = self.lock();
        if state.note(directory, key).is_err() {
            state.trouble("session could not be noted for the next daemon");
        }
    }

    /// Whether the monitor is to end.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Ends the threads, after what the ring tells. Returns how many sessions `hold` leaves to what is pinned; where
    /// there are none, or `hold` is not set, the kernel side goes too, pins and all.
    pub fn end(self: &Arc<Self>, hold: bool) -> usize {
        self.stop.store(true, Ordering::Release);
        let threads: Vec<_> = self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
            .collect();
        for thread in threads {
            // A thread that panicked has said so by itself.
            drop(thread.join());
        }
        drop(self.fanotify().take());
        let held = if hold { self.lock().still_held() } else { 0 };
        self.lock().remove_emptied();
        self.save_cases();
        let release = held == 0;
        if let Some(pins) = self.settings.pins.as_deref().filter(|_| release) {
            crate::observe::load::unpin(pins);
            self.forget_notes();
        }
        if release {
            mounts::unmount(&self.settings.run);
        }
        held
    }

    fn forget_notes(&self) {
        if let Some(notes) = &self.settings.notes {
            // They are only of use with the pins.
            drop(std::fs::remove_dir_all(notes));
        }
    }
}

/// The directory of pins for this version of the tables.
#[must_use]
pub fn pins(bpffs: &Path, run: &Path) -> PathBuf {
    // Several daemons with directories of their own (tests, a demo) must not share pins.
    let of = scopeward_abi::hash::forward(run.as_os_str().as_encoded_bytes());
    // Tables of another layout must not be taken for ours; `observe::handover` finds them by the end of the name.
    let layout = scopeward_abi::layout::MARK.rsplit(|byte| *byte == b':').next();
    let layout = String::from_utf8_lossy(layout.unwrap_or_default()).into_owned();
    bpffs.join("scopeward").join(format!("v{layout}-{of:016x}"))
}
