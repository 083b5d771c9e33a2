//! How the tier stands, and what it has counted.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::SystemTime;

/// What the tier gives at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FanotifyState {
    /// Nothing is marked, because nothing is guarded now.
    Idle,
    /// Openings of these are asked about.
    Active {
        /// Marked files.
        inodes: usize,
        /// Directories whose children are asked about.
        dirs: usize,
    },
    /// The marks were taken away so that nobody waits; they come back by themselves.
    Released {
        /// Why, in words for `status`.
        reason: String,
        /// Since when.
        at: SystemTime,
    },
    /// This host does not give the tier, or no longer does.
    Unavailable {
        /// Why, in words for `status` and `doctor`.
        reason: String,
    },
}

/// What one [`super::Fanotify::set`] led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files that are marked.
    pub inodes: usize,
    /// Directories whose children are asked about.
    pub dirs: usize,
    /// Things left unmarked because the limit was reached.
    pub over_limit: u64,
    /// Things left unmarked because the kernel refused the mark, or because the daemon may not open
    /// them (on a network filesystem that squashes root): the kernel would then deny everybody.
    pub refused: u64,
    /// Marked or watched things whose changes the kernel does not tell, by their filesystem: these
    /// are looked over every second instead, and changes of them are not reported.
    pub untold: u64,
}

/// Counts since the start; all only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Openings that the arbiter was asked about.
    pub asked: u64,
    /// Of these, denied.
    pub denied: u64,
    /// Openings of processes outside sessions (and of the daemon), let through at once.
    pub outside: u64,
    /// Openings that the watchdog let through.
    pub released: u64,
    /// How often the watchdog took the marks away.
    pub releases: u64,
    /// Answers that could not be given, events that could not be read, marks that failed, panics of
    /// the arbiter.
    pub errors: u64,
    /// Changes by members handed to the observer.
    pub changes: u64,
    /// Times that the change queue overflowed and everything was looked over again.
    pub overflows: u64,
}

/// Why the tier could not be started or told something.
#[derive(Debug, thiserror::Error)]
pub enum FanotifyError {
    /// The kernel has no fanotify permission events, or the caller lacks `CAP_SYS_ADMIN`.
    #[error("open a fanotify permission group: {0}")]
    Permission(#[source] std::io::Error),
    /// The kernel cannot report changes by name (it is older than 5.9).
    #[error("open a fanotify change group: {0}")]
    Notification(#[source] std::io::Error),
    /// A file of our own was opened although it was answered with a denial, or nobody was asked.
    #[error("refuse an open of a file of our own: {0}")]
    Trial(#[source] std::io::Error),
    /// The page shared with the watchdog could not be made.
    #[error("share a page with the fanotify watchdog: {0}")]
    Page(#[source] std::io::Error),
    /// The watchdog process could not be started.
    #[error("start the fanotify watchdog: {0}")]
    Watchdog(#[source] std::io::Error),
    /// A thread of the tier could not be started.
    #[error("start a fanotify thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The thread that keeps the marks has ended.
    #[error("reach the thread that keeps the fanotify marks")]
    Gone,
    /// It is not done yet: a filesystem may hang.
    #[error("set the fanotify marks within 10 seconds")]
    Slow,
}

/// Counters and state as the threads write them.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) asked: AtomicU64,
    pub(super) denied: AtomicU64,
    pub(super) outside: AtomicU64,
    pub(super) errors: AtomicU64,
    pub(super) changes: AtomicU64,
    pub(super) overflows: AtomicU64,
    /// The watchdog's process id; 0 while there is none.
    pub(super) watchdog: AtomicI32,
    state: Mutex<FanotifyState>,
}

/// Counts one more.
pub(super) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Board {
    pub(super) fn new() -> Self {
        Self {
            asked: AtomicU64::new(0),
            denied: AtomicU64::new(0),
            outside: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            overflows: AtomicU64::new(0),
            watchdog: AtomicI32::new(0),
            state: Mutex::new(FanotifyState::Idle),
        }
    }

    pub(super) fn state(&self) -> FanotifyState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_state(&self, state: FanotifyState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// The counters, with those that the watchdog keeps.
    pub(super) fn counters(&self, released: u64, releases: u64) -> Counters {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            asked: of(&self.asked),
            denied: of(&self.denied),
            outside: of(&self.outside),
            released,
            releases,
            errors: of(&self.errors),
            changes: of(&self.changes),
            overflows: of(&self.overflows),
        }
    }
}
