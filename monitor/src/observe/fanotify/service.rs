//! The tier as its owner sees it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::arbiter::{Arbiter, Observer};
use super::changes::Changes;
use super::devices::Devices;
use super::guarded::Guarded;
use super::heartbeat::Page;
use super::keeper::{Keeper, Order};
use super::marks::Table;
use super::raw::Group;
use super::recovery::{Due, Watchdog};
use super::responder::{self, Responder};
use super::state::{Board, Counters, Coverage, FanotifyError, FanotifyState};
use super::telling::Telling;
use super::watchdog;

/// A path on a filesystem that hangs may keep the marks from being set.
const SET_MAX: Duration = Duration::from_secs(10);

/// How the tier is to behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long an opener may wait before the marks go. 20 ms to 60 s; default 250 ms. The watchdog
    /// looks four times within it, so a wait can last a quarter longer.
    pub bound: Duration,
    /// Most inodes that are asked about; default 20,000. Each pins an inode in the kernel.
    pub limit: usize,
    /// Ask about each read of a guarded file (not of those in guarded trees) too; default on. This
    /// covers descriptors that a session did not open itself, but not the mapping of such a file.
    /// Measured on 6.18: a read of such a file by a process outside takes 15 µs (60 on a busy machine)
    /// instead of 0.5; other files cost what they did. From 6.14 on the kernel asks only for
    /// descriptors that were opened while anything on their filesystem was marked
    /// (`file_set_fsnotify_mode_from_watchers`).
    pub reads: bool,
    /// Pause before the marks come back after the first release; default 1 s. It doubles each time.
    pub first_pause: Duration,
    /// Longest such pause; default 1 min.
    pub longest_pause: Duration,
    /// The program to start as the watchdog; it must call [`super::WatchdogJob::from_args`] first.
    pub watchdog: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bound: Duration::from_millis(250),
            limit: 20_000,
            reads: true,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            watchdog: PathBuf::from("/proc/self/exe"),
        }
    }
}

/// The running tier. Dropping it takes every mark away and lets everybody go.
pub struct Fanotify {
    orders: Sender<Order>,
    wake: Arc<EventFd>,
    call: Arc<EventFd>,
    stop: Arc<AtomicBool>,
    page: Arc<Page>,
    board: Arc<Board>,
    threads: Vec<JoinHandle<()>>,
}

impl Fanotify {
    /// Opens the groups and starts the watchdog process, the responder and the keeper of the marks.
    /// Nothing is marked until [`Self::set`]. Keep at least a hundred descriptors below the limit of open
    /// files free: each opener that waits takes one of ours, and without one the kernel denies.
    ///
    /// # Errors
    ///
    /// When the kernel or our capabilities do not give fanotify, or the watchdog does not start.
    pub fn start(
        mut settings: Settings,
        arbiter: Arc<dyn Arbiter>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, FanotifyError> {
        settings.bound = settings
            .bound
            .clamp(Duration::from_millis(20), Duration::from_secs(60));
        let asking = Arc::new(Group::permission().map_err(FanotifyError::Permission)?);
        let telling = Telling::new().map_err(FanotifyError::Notification)?;
        let page = Arc::new(Page::create().map_err(FanotifyError::Page)?);
        let (child, line) = watchdog::start(&settings.watchdog, &asking, &page, settings.bound)
            .map_err(FanotifyError::Watchdog)?;
        let event = || EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).map(Arc::new);
        let wake = event().map_err(|error| FanotifyError::Thread(error.into()))?;
        let call = event().map_err(|error| FanotifyError::Thread(error.into()))?;
        let (orders, inbox) = channel();
        let (board, devices) = (Arc::new(Board::new()), Arc::new(Devices::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let responder = Responder {
            group: asking.clone(),
            page: page.clone(),
            board: board.clone(),
            devices: devices.clone(),
            arbiter,
            call: call.clone(),
            stop: stop.clone(),
        };
        let due = Due::new(settings.first_pause);
        let keeper = Keeper {
            table: Table::new(
                asking,
                telling,
                devices,
                board.clone(),
                settings.limit,
                settings.reads,
            ),
            changes: Changes::new(observer),
            page: page.clone(),
            board: board.clone(),
            settings,
            orders: inbox,
            wake: wake.clone(),
            call: call.clone(),
            watchdog: Some(Watchdog::new(child, line, &board)),
            due,
            next_guard: 0,
        };
        let mut tier = Self {
            orders,
            wake,
            call,
            stop,
            page,
            board,
            threads: Vec::new(),
        };
        tier.spawn("fanotify-answer", move || responder.run())?;
        tier.spawn("fanotify-keep", move || keeper.run())?;
        Ok(tier)
    }

    fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), FanotifyError> {
        let thread = Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .map_err(FanotifyError::Thread)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Guards exactly this from now on, for all sessions together; returns once it is marked. What
    /// stays guarded stays marked throughout, and so do inodes that were linked or renamed meanwhile.
    ///
    /// # Errors
    ///
    /// [`FanotifyError::Gone`] when the thread that keeps the marks has ended, and
    /// [`FanotifyError::Slow`] when it is not done after 10 s; it goes on then.
    pub fn set(&self, guarded: &Guarded) -> Result<Coverage, FanotifyError> {
        let (reply, answer) = channel();
        self.orders
            .send(Order::Set(guarded.clone(), reply))
            .map_err(|_| FanotifyError::Gone)?;
        responder::call(&self.wake).map_err(|_| FanotifyError::Gone)?;
        answer.recv_timeout(SET_MAX).map_err(|error| match error {
            RecvTimeoutError::Timeout => FanotifyError::Slow,
            RecvTimeoutError::Disconnected => FanotifyError::Gone,
        })
    }

    /// Takes every mark away, for the time without a session: nobody pays anything then.
    ///
    /// # Errors
    ///
    /// As [`Self::set`].
    pub fn disarm(&self) -> Result<(), FanotifyError> {
        self.set(&Guarded::default()).map(drop)
    }

    /// What the tier gives now.
    #[must_use]
    pub fn state(&self) -> FanotifyState {
        self.board.state()
    }

    /// The watchdog's process id, for the monitor's self-defence: a session must not touch it. It
    /// changes when the watchdog is replaced; `None` while there is none.
    #[must_use]
    pub fn watchdog(&self) -> Option<i32> {
        Some(self.board.watchdog.load(Ordering::Relaxed)).filter(|&pid| pid != 0)
    }

    /// What it has counted since its start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let beat = self.page.beat();
        self.board.counters(
            beat.released.load(Ordering::Relaxed),
            beat.releases.load(Ordering::Relaxed),
        )
    }
}

impl Drop for Fanotify {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // A thread that has ended cannot be told; that is what is wanted.
        drop(self.orders.send(Order::Stop));
        drop(responder::call(&self.wake));
        drop(responder::call(&self.call));
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

impl std::fmt::Debug for Fanotify {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Fanotify")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
