//! The thread that owns the marks: it sets them, refreshes them as files change, and brings them
//! back after the watchdog has taken them away.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;

use super::changes::Changes;
use super::guarded::{Guard, Guarded};
use super::heartbeat::Page;
use super::marks::Table;
use super::notice;
use super::responder;
use super::service::Settings;
use super::state::{Board, Coverage, FanotifyState, bump};
use super::watchdog;

/// How long a change seen at an inode waits for the directory's word on it.
const HOLD: Duration = Duration::from_millis(5);
/// How long after a change of the mounts everything is looked over again.
const SETTLE: Duration = Duration::from_millis(500);
/// A watchdog that ends sooner than this after its start is not started again at once.
const WATCHDOG_LIFE: Duration = Duration::from_secs(1);
/// Time without a release after which the next pause is the shortest again.
const CALM: Duration = Duration::from_secs(60);

/// What the thread is asked to do.
pub(super) enum Order {
    Set(Guarded, Sender<Coverage>),
    Stop,
}

pub(super) struct Keeper {
    pub(super) table: Table,
    pub(super) changes: Changes,
    pub(super) page: Arc<Page>,
    pub(super) board: Arc<Board>,
    pub(super) settings: Settings,
    pub(super) orders: Receiver<Order>,
    /// Readable when there are orders.
    pub(super) wake: Arc<EventFd>,
    /// Wakes the responder.
    pub(super) call: Arc<EventFd>,
    pub(super) watchdog: Option<Watchdog>,
    pub(super) due: Due,
    pub(super) next_guard: u32,
}

/// The watchdog process and the line to it.
pub(super) struct Watchdog {
    pub(super) child: Child,
    pub(super) line: UnixStream,
    pub(super) since: Instant,
}

impl Watchdog {
    pub(super) fn new(child: Child, line: UnixStream, board: &Board) -> Self {
        board.watchdog.store(i32::try_from(child.id()).unwrap_or(0), Ordering::Relaxed);
        Self { child, line, since: Instant::now() }
    }
}

/// What is to be done later.
#[derive(Debug)]
pub(super) struct Due {
    /// Arm again, if the responder has moved on from this count.
    rearm: Option<(Instant, u64)>,
    rescan: Option<Instant>,
    pause: Duration,
    last_release: Option<Instant>,
}

impl Due {
    pub(super) fn new(pause: Duration) -> Self {
        Self { rearm: None, rescan: None, pause, last_release: None }
    }

    fn next(&self, holding: bool) -> Option<Duration> {
        let at = [self.rearm.map(|(at, _)| at), self.rescan].into_iter().flatten().min();
        let due = at.map(|at| at.saturating_duration_since(Instant::now()));
        let hold = holding.then_some(HOLD);
        due.into_iter().chain(hold).min()
    }
}

impl Keeper {
    /// Works until told to stop; then takes every mark away and ends the watchdog.
    pub(super) fn run(mut self) {
        let mounts = File::open("/proc/self/mountinfo");
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let [told, woken, mounted, lined] = self.rest(mounts.as_ref().ok());
            if woken && self.wake.read().is_err() {
                bump(&self.board.errors);
            }
            if told {
                self.told(&mut buffer);
            } else if self.changes.is_holding() {
                self.changes.settle(&self.table);
            }
            if mounted {
                self.table.devices.forget();
                self.due.rescan.get_or_insert_with(|| Instant::now() + SETTLE);
            }
            if lined {
                self.heard();
            }
            self.catch_up();
            loop {
                match self.orders.try_recv() {
                    Ok(Order::Set(guarded, reply)) => {
                        self.set(&guarded);
                        if reply.send(self.table.coverage).is_err() {
                            tracing::debug!("who set the fanotify marks no longer waits");
                        }
                    }
                    Err(TryRecvError::Empty) => break,
                    Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return self.end(),
                }
            }
        }
    }

    /// Sleeps until there is something to do: changes, orders, mounts, the watchdog.
    fn rest(&self, mounts: Option<&File>) -> [bool; 4] {
        let timeout = self.due.next(self.changes.is_holding());
        // Rounded up: a timeout of 0 would spin until the time has come.
        let timeout = timeout.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        let urgent = PollFlags::POLLPRI | PollFlags::POLLERR;
        let none = self.wake.as_fd();
        let mut waits = [
            PollFd::new(self.table.telling.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
            PollFd::new(mounts.map_or(none, AsFd::as_fd), if mounts.is_some() { urgent } else { PollFlags::empty() }),
            PollFd::new(self.watchdog.as_ref().map_or(none, |dog| dog.line.as_fd()), match self.watchdog {
                Some(_) => PollFlags::POLLIN,
                None => PollFlags::empty(),
            }),
        ];
        if poll(&mut waits, timeout).is_err() {
            return [false; 4];
        }
        waits.map(|wait| wait.any().unwrap_or(false))
    }

    /// Reads all changes there are.
    fn told(&mut self, buffer: &mut [u8]) {
        loop {
            let length = match self.table.telling.read(buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    tracing::warn!(%error, "failed to read fanotify changes");
                    bump(&self.board.errors);
                    return;
                }
            };
            for notice in notice::decode(&buffer[..length]) {
                if notice.mask & nix::libc::FAN_Q_OVERFLOW == 0 {
                    self.changes.take(&mut self.table, &notice);
                } else {
                    bump(&self.board.overflows);
                    self.due.rescan = Some(Instant::now());
                }
            }
        }
    }

    fn catch_up(&mut self) {
        let now = Instant::now();
        if self.due.rescan.is_some_and(|at| at <= now) {
            self.due.rescan = None;
            self.resolve_all();
        }
        if let Some((at, seen)) = self.due.rearm
            && at <= now
        {
            self.try_rearm(seen);
        }
    }

    fn resolve_all(&mut self) {
        let ids: Vec<_> = self.table.guards.keys().copied().collect();
        ids.into_iter().for_each(|id| self.table.resolve(id));
        self.changes.refresh(&mut self.table);
        self.show();
    }

    /// Puts a whole set in force: what is new is marked before what is old goes.
    fn set(&mut self, guarded: &Guarded) {
        let wanted: Vec<Guard> = guarded.guards().collect();
        if wanted.is_empty() {
            self.disarm();
            return;
        }
        let old: BTreeSet<_> =
            self.table.guards.iter().filter(|(_, guard)| !wanted.contains(guard)).map(|(&id, _)| id).collect();
        let kept: Vec<Guard> = self.table.guards.values().cloned().collect();
        if !self.table.paused {
            self.arm();
        }
        (self.table.coverage.over_limit, self.table.coverage.refused) = (0, 0);
        for guard in wanted.into_iter().filter(|guard| !kept.contains(guard)) {
            let id = self.next_guard;
            self.next_guard += 1;
            self.table.guards.insert(id, guard);
            self.table.resolve(id);
        }
        self.table.release(&old);
        self.table.fresh.clear();
        self.show();
    }

    fn disarm(&mut self) {
        self.page.beat().armed.store(0, Ordering::SeqCst);
        if let Err(error) = self.table.clear() {
            tracing::warn!(%error, "failed to take the fanotify marks away");
            bump(&self.board.errors);
        }
        self.due.rearm = None;
        self.due.rescan = None;
        self.table.paused = false;
        self.show();
    }

    /// Tells the watchdog to watch, before anybody can have to wait.
    fn arm(&mut self) {
        let beat = self.page.beat();
        beat.arms.fetch_add(1, Ordering::SeqCst);
        beat.armed.store(1, Ordering::SeqCst);
        if let Some(dog) = &mut self.watchdog {
            // A full line wakes it as well.
            drop(dog.line.write(b"a"));
        }
    }

    /// The watchdog has said something, or has ended.
    fn heard(&mut self) {
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
        match watchdog::start(&self.settings.watchdog, &self.table.asking, &self.page, self.settings.bound) {
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
        self.board.set_state(FanotifyState::Released { reason: reason.to_owned(), at: SystemTime::now() });
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

    fn try_rearm(&mut self, seen: u64) {
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

    fn show(&self) {
        if self.table.paused {
            return;
        }
        let Coverage { inodes, dirs, .. } = self.table.coverage;
        let state = match self.table.guards.is_empty() {
            true => FanotifyState::Idle,
            false => FanotifyState::Active { inodes, dirs },
        };
        self.board.set_state(state);
    }

    fn end(mut self) {
        self.disarm();
        if let Some(dog) = self.watchdog.take() {
            end_process(dog.child);
        }
        self.board.set_state(FanotifyState::Unavailable { reason: "it was stopped".to_owned() });
    }
}

/// Ends a process of ours and takes its status; it may have ended already.
fn end_process(mut child: Child) {
    drop(child.kill());
    drop(child.wait());
}
