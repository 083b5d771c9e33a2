//! After the watchdog has let everybody go: the marks come back, later each time.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::keeper::Keeper;
use super::responder;
use super::state::{Board, FanotifyState, bump};
use super::watchdog;

/// A watchdog that ends sooner than this after its start is not started again at once.
const WATCHDOG_LIFE: Duration = Duration::from_secs(1);
/// Time without a release after which the next pause is the shortest again.
const CALM: Duration = Duration::from_secs(60);

/// The watchdog process and the line to it.
pub(super) struct Watchdog {
    pub(super) child: Child,
    pub(super) line: UnixStream,
    since: Instant,
}

impl Watchdog {
    pub(super) fn new(child: Child, line: UnixStream, board: &Board) -> Self {
        board
            .watchdog
            .store(i32::try_from(child.id()).unwrap_or(0), Ordering::Relaxed);
        Self {
            child,
            line,
            since: Instant::now(),
        }
    }
}

/// What is to be done later.
#[derive(Debug)]
pub(super) struct Due {
    /// Arm again, if the responder has moved on from this count.
    pub(super) rearm: Option<(Instant, u64)>,
    /// Resolve everything again.
    pub(super) rescan: Option<Instant>,
    /// How long that took the last time.
    pub(super) rescan_took: Duration,
    pause: Duration,
    last_release: Option<Instant>,
}

impl Due {
    pub(super) fn new(pause: Duration) -> Self {
        Self {
            rearm: None,
            rescan: None,
            rescan_took: Duration::ZERO,
            pause,
            last_release: None,
        }
    }

    /// How long until something is due; `also` is one more such time.
    pub(super) fn next(&self, also: Option<Instant>) -> Option<Duration> {
        let at = [self.rearm.map(|(at, _)| at), self.rescan, also]
            .into_iter()
            .flatten()
            .min();
        at.map(|at| at.saturating_duration_since(Instant::now()))
    }
}

impl Keeper {
    /// Tells the watchdog to watch, before anybody can have to wait.
    pub(super) fn arm(&mut self) {
        let beat = self.page.beat();
        beat.arms.fetch_add(1, Ordering::SeqCst);
        beat.armed.store(1, Ordering::SeqCst);
        if let Some(dog) = &mut self.watchdog {
            // A full line wakes it as well.
            drop(dog.line.write(b"a"));
        }
    }

    /// The watchdog has said something, or has ended.
    pub(super) fn heard(&mut self) {
        let Some(dog) = &mut self.watchdog else { return };
        let mut words = [0; 64];
        match dog.line.read(&mut words) {
            Ok(0) => self.lost_watchdog(),
            Ok(_) => self.released("no answer to an opener within the bound"),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.lost_watchdog(),
        }
    }

    fn lost_watchdog(&mut self) {
        let Some(dog) = self.watchdog.take() else { return };
        let young = dog.since.elapsed() < WATCHDOG_LIFE;
        end_process(dog.child);
        self.board.watchdog.store(0, Ordering::Relaxed);
        tracing::warn!("the fanotify watchdog has ended");
        bump(&self.board.errors);
        if !young && self.start_watchdog() {
            self.arm();
            return;
        }
        self.page.beat().armed.store(0, Ordering::SeqCst);
        if self.table.asking.flush().is_err() {
            bump(&self.board.errors);
        }
        self.released("its watchdog has ended and cannot be started again");
    }

    fn start_watchdog(&mut self) -> bool {
        match watchdog::start(
            &self.settings.watchdog,
            &self.table.asking,
            &self.page,
            self.settings.bound,
        ) {
            Ok((child, line)) => {
                self.watchdog = Some(Watchdog::new(child, line, &self.board));
                true
            }
            Err(error) => {
                tracing::warn!(%error, "failed to start the fanotify watchdog");
                false
            }
        }
    }

    /// Nobody is asked any more; plans the next try.
    fn released(&mut self, reason: &str) {
        if self.table.guards.is_empty() {
            return;
        }
        let now = Instant::now();
        self.due.pause = match self.due.last_release {
            Some(last) if now.duration_since(last) < CALM.max(self.due.pause * 2) => {
                (self.due.pause * 2).min(self.settings.longest_pause)
            }
            _ => self.settings.first_pause,
        };
        self.due.last_release = Some(now);
        self.table.pause(true);
        tracing::warn!(reason, pause = ?self.due.pause, "fanotify marks were taken away");
        self.board.set_state(FanotifyState::Released {
            reason: reason.to_owned(),
            at: SystemTime::now(),
        });
        self.plan_rearm();
    }

    fn plan_rearm(&mut self) {
        // The responder must show that it runs between now and then.
        let seen = self.page.beat().progress.load(Ordering::SeqCst);
        if responder::call(&self.call).is_err() {
            bump(&self.board.errors);
        }
        self.due.rearm = Some((Instant::now() + self.due.pause, seen));
    }

    /// Marks everything again, if it can be answered and watched by now.
    pub(super) fn try_rearm(&mut self, seen: u64) {
        let runs = self.page.beat().progress.load(Ordering::SeqCst) != seen;
        if !runs || (self.watchdog.is_none() && !self.start_watchdog()) {
            self.due.pause = (self.due.pause * 2).min(self.settings.longest_pause);
            self.plan_rearm();
            return;
        }
        self.due.rearm = None;
        self.arm();
        self.table.pause(false);
        self.resolve_all();
        tracing::info!("fanotify marks are set again");
    }
}

/// Ends a process of ours and takes its status; it may have ended already.
pub(super) fn end_process(mut child: Child) {
    drop(child.kill());
    drop(child.wait());
}
