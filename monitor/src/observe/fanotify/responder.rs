//! The thread that answers.
//!
//! Everybody who opens a guarded file waits for it, so processes outside sessions are answered
//! first, without an allocation, and members after them.

use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;

use super::arbiter::{Answer, Arbiter, Opening};
use super::devices::Devices;
use super::heartbeat::Page;
use super::object;
use super::priority;
use super::raw::{self, Group, Head};
use super::state::{Board, bump};

/// Events taken at a time. Each holds a descriptor of ours until it is answered; without a free one
/// the kernel denies, so they stay few.
const BATCH: usize = 16;

pub(super) struct Responder {
    pub(super) group: Arc<Group>,
    pub(super) page: Arc<Page>,
    pub(super) board: Arc<Board>,
    pub(super) devices: Arc<Devices>,
    pub(super) arbiter: Arc<dyn Arbiter>,
    /// Readable when the thread is to show that it runs, or to end.
    pub(super) call: Arc<EventFd>,
    /// 1 once it is to end.
    pub(super) stop: Arc<std::sync::atomic::AtomicBool>,
}

/// A member's event that waits for its verdict.
struct Asked {
    head: Head,
    fd: OwnedFd,
}

impl Responder {
    /// Answers until it is told to stop.
    pub(super) fn run(&self) {
        priority::raise();
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let mut buffer = [0; BATCH * raw::EVENT_SIZE];
        while !self.stop.load(Ordering::SeqCst) {
            let length = match self.group.read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.sleep();
                    continue;
                }
                Err(error) => {
                    // The kernel has denied that one opening itself: no descriptor could be made.
                    tracing::warn!(%error, "failed to read a fanotify event");
                    bump(&self.board.errors);
                    self.page.beat().step();
                    continue;
                }
            };
            self.batch(&buffer[..length], own);
        }
    }

    /// Sleeps until there is an event or a call. What is said to the watchdog: nothing read is
    /// unanswered now, so only an event that stays unread is a reason to act.
    fn sleep(&self) {
        let beat = self.page.beat();
        beat.step();
        beat.asleep.store(1, Ordering::SeqCst);
        let mut waits = [
            PollFd::new(self.group.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.call.as_fd(), PollFlags::POLLIN),
        ];
        let woken = poll(&mut waits, PollTimeout::NONE).is_ok();
        let called = waits[1].any().unwrap_or(false);
        beat.asleep.store(0, Ordering::SeqCst);
        beat.step();
        if woken && called && self.call.read().is_err() {
            bump(&self.board.errors);
        }
    }

    fn batch(&self, mut bytes: &[u8], own: i32) {
        let mut members: [Option<Asked>; BATCH] = [const { None }; BATCH];
        let mut count = 0;
        while let Some(head) = raw::head(bytes) {
            bytes = &bytes[head.len..];
            let Some(fd) = raw::event_fd(head) else { continue };
            self.page.beat().highest.fetch_max(head.fd, Ordering::Relaxed);
            if head.pid == own || !self.arbiter.is_member(head.pid) || count == BATCH {
                self.answer(head, Answer::Allow);
                bump(&self.board.outside);
            } else {
                members[count] = Some(Asked { head, fd });
                count += 1;
            }
        }
        for asked in members.into_iter().flatten() {
            let answer = self.decide(&asked);
            bump(&self.board.asked);
            if answer == Answer::Deny {
                bump(&self.board.denied);
            }
            self.answer(asked.head, answer);
        }
    }

    fn decide(&self, asked: &Asked) -> Answer {
        let Ok((look, dev)) = self.devices.look(asked.fd.as_fd(), Some(asked.head.pid)) else {
            bump(&self.board.errors);
            return Answer::Deny;
        };
        let mut name = [0; libc::PATH_MAX as usize];
        let opening = Opening {
            pid: asked.head.pid,
            exec: asked.head.mask & libc::FAN_OPEN_EXEC_PERM != 0,
            read: asked.head.mask & libc::FAN_ACCESS_PERM != 0,
            dev,
            inode: look.id.inode,
            path: object::name_into(asked.fd.as_fd(), &mut name),
            fd: asked.fd.as_fd(),
        };
        catch_unwind(AssertUnwindSafe(|| self.arbiter.decide(&opening))).unwrap_or_else(|_| {
            // An internal error on a guarded object fails towards the scope's response.
            bump(&self.board.errors);
            Answer::Deny
        })
    }

    fn answer(&self, head: Head, answer: Answer) {
        match self.group.answer(head.fd, answer) {
            Ok(()) => {}
            // The watchdog was quicker and let it through; it counts that itself.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, "failed to answer a fanotify event");
                bump(&self.board.errors);
            }
        }
        self.page.beat().step();
    }
}

/// Wakes the responder to show that it runs, or to see that it is to stop.
pub(super) fn call(fd: &EventFd) -> std::io::Result<()> {
    fd.write(1)?;
    Ok(())
}

/// Number of the event descriptors' table, for the watchdog's sweep: descriptors of a batch are
/// never above this much past the highest one seen.
pub(super) const SLACK: i32 = 1024;

const _: () = assert!(BATCH < SLACK as usize);

impl std::fmt::Debug for Responder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Responder")
            .field("group", &self.group.as_fd().as_raw_fd())
            .finish_non_exhaustive()
    }
}
