//! The thread that owns the marks: it sets them, and refreshes them as files change.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;

use super::changes::Changes;
use super::guarded::{Guard, Guarded};
use super::heartbeat::Page;
use super::marks::Table;
use super::priority;
use super::recovery::{Due, Watchdog, end_process};
use super::service::Settings;
use super::state::{Board, Coverage, FanotifyState, bump};

/// How long after a change of the mounts, or an overflow, everything is looked over again; and how
/// often where the kernel tells nothing.
const SETTLE: Duration = Duration::from_secs(1);
/// Looking everything over takes at most one part in this many of the thread's time.
const RESCAN_SHARE: u32 = 20;

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

impl Keeper {
    /// Works until told to stop; then the marks go, and the watchdog ends.
    pub(super) fn run(mut self) {
        // A new file under a guarded name is open to all until it is marked.
        priority::raise();
        let mounts = File::open("/proc/self/mountinfo");
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let [told, woken, mounted, lined] = self.rest(mounts.as_ref().ok());
            if woken && self.wake.read().is_err() {
                bump(&self.board.errors);
            }
            if told {
                self.told(&mut buffer);
            }
            self.changes.settle(&self.table);
            if mounted {
                self.table.devices.forget();
                self.plan_rescan();
            }
            if lined {
                self.heard();
            }
            self.catch_up();
            loop {
                match self.orders.try_recv() {
                    Ok(Order::Set(guarded, reply)) => {
                        self.set(&guarded);
                        if reply.send(self.table.coverage()).is_err() {
                            tracing::debug!("who set the fanotify marks no longer waits");
                        }
                    }
                    Err(TryRecvError::Empty) => break,
                    Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return,
                }
            }
        }
    }

    /// Sleeps until there is something to do: changes, orders, mounts, the watchdog.
    fn rest(&self, mounts: Option<&File>) -> [bool; 4] {
        let timeout = self.due.next(self.changes.settles());
        // Rounded up: a timeout of 0 would spin until the time has come.
        let timeout = timeout.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        let urgent = PollFlags::POLLPRI | PollFlags::POLLERR;
        let none = self.wake.as_fd();
        let mut waits = [
            PollFd::new(self.table.telling.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
            PollFd::new(
                mounts.map_or(none, AsFd::as_fd),
                if mounts.is_some() {
                    urgent
                } else {
                    PollFlags::empty()
                },
            ),
            PollFd::new(
                self.watchdog.as_ref().map_or(none, |dog| dog.line.as_fd()),
                match self.watchdog {
                    Some(_) => PollFlags::POLLIN,
                    None => PollFlags::empty(),
                },
            ),
        ];
        if poll(&mut waits, timeout).is_err() {
            return [false; 4];
        }
        waits.map(|wait| wait.any().unwrap_or(false))
    }

    /// Takes the changes there are.
    fn told(&mut self, buffer: &mut [u8]) {
        let notices = self.table.telling.read(buffer).unwrap_or_else(|error| {
            tracing::warn!(%error, "failed to read fanotify changes");
            bump(&self.board.errors);
            Vec::new()
        });
        for notice in notices {
            if notice.mask & nix::libc::FAN_Q_OVERFLOW == 0 {
                self.changes.take(&mut self.table, &notice);
            } else {
                bump(&self.board.overflows);
                self.plan_rescan();
            }
        }
    }

    fn catch_up(&mut self) {
        let now = Instant::now();
        if self.due.rescan.is_some_and(|at| at <= now) {
            self.due.rescan = None;
            self.resolve_all();
            self.due.rescan_took = now.elapsed();
        }
        if let Some((at, seen)) = self.due.rearm
            && at <= now
        {
            self.try_rearm(seen);
        }
    }

    fn plan_rescan(&mut self) {
        let pause = SETTLE.max(self.due.rescan_took * RESCAN_SHARE);
        self.due.rescan.get_or_insert_with(|| Instant::now() + pause);
    }

    /// Resolves every guard again.
    pub(super) fn resolve_all(&mut self) {
        let ids: Vec<_> = self.table.guards.keys().copied().collect();
        self.table.resolve_all(ids);
        self.changes.refresh(&mut self.table);
        self.plan_untold();
        self.show();
    }

    /// Where the kernel does not tell, somebody has to look.
    fn plan_untold(&mut self) {
        if self.table.coverage().untold != 0 {
            self.plan_rescan();
        }
    }

    /// Puts a whole set in force: what is new is marked before what is old goes.
    fn set(&mut self, guarded: &Guarded) {
        let wanted: HashSet<Guard> = guarded.guards().collect();
        if wanted.is_empty() {
            self.disarm();
            return;
        }
        let old: BTreeSet<_> = self
            .table
            .guards
            .iter()
            .filter(|(_, guard)| !wanted.contains(guard))
            .map(|(&id, _)| id)
            .collect();
        let kept: HashSet<Guard> = self.table.guards.values().cloned().collect();
        if !self.table.paused {
            self.arm();
        }
        let new = self.next_guard..;
        let new: BTreeMap<_, _> = new
            .zip(wanted.into_iter().filter(|guard| !kept.contains(guard)))
            .collect();
        self.next_guard += u32::try_from(new.len()).unwrap_or(u32::MAX);
        let ids: Vec<_> = new.keys().copied().collect();
        self.table.guards.extend(new);
        self.table.resolve_all(ids);
        self.table.release(&old);
        self.plan_untold();
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

    fn show(&self) {
        if self.table.paused {
            return;
        }
        let Coverage { inodes, dirs, .. } = self.table.coverage();
        let state = match self.table.guards.is_empty() {
            true => FanotifyState::Idle,
            false => FanotifyState::Active { inodes, dirs },
        };
        self.board.set_state(state);
    }
}

impl Drop for Keeper {
    /// Also when the thread fails: without its watch nobody may be asked any more.
    fn drop(&mut self) {
        self.disarm();
        if let Some(dog) = self.watchdog.take() {
            end_process(dog.child);
            self.board.watchdog.store(0, Ordering::Relaxed);
        }
        let reason = if std::thread::panicking() {
            "the thread that keeps its marks has failed"
        } else {
            "it was stopped"
        };
        self.board.set_state(FanotifyState::Unavailable {
            reason: reason.to_owned(),
        });
    }
}
