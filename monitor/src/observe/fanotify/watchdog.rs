//! The process that lets openers go when the daemon does not answer.
//!
//! A thread of the daemon could not help when the whole daemon is stopped, so this is a process of
//! its own: the same binary, started as `scopeward fanotify-watchdog …`. It holds a copy of the
//! group's descriptor, and looks at the shared page a few times within the bound, only while
//! something is marked. No progress while an event waits, for the whole bound: it takes the marks
//! away and answers everything with allow. That it may answer for the daemon is the kernel's rule: a
//! response is matched by the event's descriptor number alone.
//!
//! It ends with the daemon; the last copy of the group closes then, and the kernel lets all go.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::arbiter::Answer;
use super::heartbeat::Page;
use super::priority;
use super::raw::{self, Group};
use super::responder::SLACK;

const WORD: &str = "fanotify-watchdog";
/// Set in the watchdog's environment.
const MARK: &str = "SCOPEWARD_FANOTIFY_WATCHDOG";
/// Looks at the page within one bound.
const LOOKS: u16 = 4;
/// How long a watchdog process may take to start, in milliseconds.
const START_MAX: u16 = 5000;

/// A request to be the watchdog, found in the arguments.
#[derive(Debug)]
pub struct WatchdogJob {
    group: RawFd,
    page: RawFd,
    line: RawFd,
    /// Milliseconds.
    bound: u16,
}

impl WatchdogJob {
    /// Reads the arguments of the process (with the program's name first): `None` when it was not
    /// started as the watchdog. Must be the first thing `main` asks.
    #[must_use]
    pub fn from_args(args: impl Iterator<Item = OsString>) -> Option<Self> {
        let args: Vec<_> = args.skip(1).take(5).collect();
        let [word, group, page, line, bound] = args.as_slice() else {
            return None;
        };
        (word.as_os_str() == OsStr::new(WORD)).then_some(())?;
        let number = |arg: &OsString| arg.to_str()?.parse().ok();
        Some(Self {
            group: number(group)?,
            page: number(page)?,
            line: number(line)?,
            bound: bound.to_str()?.parse().ok()?,
        })
    }
}

/// Is the watchdog until the daemon ends. Never returns; the exit code is 0, or 2 when the inherited
/// descriptors are not what they should be.
pub fn watchdog_main(job: &WatchdogJob) -> ! {
    let code = if watch(job).is_ok() { 0 } else { 2 };
    std::process::exit(code)
}

/// Starts a watchdog process on `group` and `page`. The stream closes when it ends; a byte from it
/// says that it has released everybody, a byte to it that something was armed.
pub(super) fn start(
    exe: &Path,
    group: &Group,
    page: &Page,
    bound: Duration,
) -> io::Result<(Child, UnixStream)> {
    // A program that does not know the word would start the tier itself, and so on without end.
    if std::env::var_os(MARK).is_some() {
        return Err(io::Error::other(
            "this program was started as a watchdog and did not become one",
        ));
    }
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let kept = [
        group.as_fd().as_raw_fd(),
        page.file().as_raw_fd(),
        theirs.as_raw_fd(),
    ];
    let mut command = Command::new(exe);
    command
        .arg0("scopeward")
        .arg(WORD)
        .args(kept.map(|fd| fd.to_string()))
        .arg(bound.as_millis().to_string());
    command
        .env_clear()
        .env(MARK, "1")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: between fork and exec only setsid and fcntl are called, which are async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            // Out of the terminal's process group: ^C is for the daemon.
            libc::setsid();
            for fd in kept {
                if libc::fcntl(fd, libc::F_SETFD, 0) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    drop(theirs);
    if let Err(error) = await_hello(&ours) {
        // It may have ended by itself; either way nothing of it is to be left.
        drop(child.kill());
        drop(child.wait());
        return Err(error);
    }
    Ok((child, ours))
}

/// Until the watchdog watches, nothing may be marked.
fn await_hello(line: &UnixStream) -> io::Result<()> {
    let mut waits = [PollFd::new(line.as_fd(), PollFlags::POLLIN)];
    if poll(&mut waits, START_MAX)? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut hello = [0];
    io::Read::read_exact(&mut &*line, &mut hello)
}

struct Watch {
    group: Group,
    page: Page,
    line: UnixStream,
    tick: PollTimeout,
}

fn watch(job: &WatchdogJob) -> io::Result<()> {
    // SAFETY: the numbers come from our own `start`, which passed these three descriptors on.
    let [group, page, line] = [job.group, job.page, job.line].map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    // A service manager tells the whole control group to end; the daemon ends first, and we with it.
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        // SAFETY: ignoring a signal installs no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    priority::raise();
    // The file it was started from may be called `exe`. The name is for people alone.
    nix::sys::prctl::set_name(c"scopeward-watch")?;
    let tick = PollTimeout::from((job.bound / LOOKS).max(5));
    let watch = Watch {
        group: Group::inherited(group),
        page: Page::map(page)?,
        line: line.into(),
        tick,
    };
    watch.line.set_nonblocking(true)?;
    io::Write::write_all(&mut &watch.line, b"h")?;
    watch.run()
}

impl Watch {
    fn run(&self) -> io::Result<()> {
        let beat = self.page.beat();
        let mut seen = (0, 0);
        let mut idle = 0;
        loop {
            let armed = beat.armed.load(Ordering::SeqCst) != 0;
            if !self.rest(if armed { self.tick } else { PollTimeout::NONE }) {
                return Ok(());
            }
            let now = self.signs();
            // Counted in looks, not in time: when the whole machine paused, so did we.
            idle = if now == seen && self.is_waiting() {
                idle + 1
            } else {
                0
            };
            seen = now;
            if armed && idle >= LOOKS {
                self.release(now)?;
                idle = 0;
            }
        }
    }

    fn signs(&self) -> (u64, u64) {
        let beat = self.page.beat();
        (
            beat.progress.load(Ordering::SeqCst),
            beat.arms.load(Ordering::SeqCst),
        )
    }

    /// Somebody waits: an event is unread, or the responder has not come back from what it read.
    fn is_waiting(&self) -> bool {
        self.page.beat().asleep.load(Ordering::SeqCst) == 0 || self.is_readable(PollTimeout::ZERO)
    }

    fn is_readable(&self, timeout: PollTimeout) -> bool {
        let mut waits = [PollFd::new(self.group.as_fd(), PollFlags::POLLIN)];
        poll(&mut waits, timeout).is_ok_and(|ready| ready > 0)
    }

    /// Sleeps for a tick; false once the daemon has ended.
    fn rest(&self, timeout: PollTimeout) -> bool {
        let mut waits = [PollFd::new(self.line.as_fd(), PollFlags::POLLIN)];
        if !poll(&mut waits, timeout).is_ok_and(|ready| ready > 0) {
            return true;
        }
        let mut byte = [0; 16];
        match io::Read::read(&mut &self.line, &mut byte) {
            Ok(length) => length > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Takes the marks away and lets everybody go, until the daemon shows a sign of life.
    fn release(&self, stuck: (u64, u64)) -> io::Result<()> {
        let beat = self.page.beat();
        beat.armed.store(0, Ordering::SeqCst);
        // Whether or not that worked, who waits now is let go, and who comes after them as well.
        let flushed = self.group.flush();
        self.sweep();
        beat.releases.fetch_add(1, Ordering::SeqCst);
        // A full line already says it.
        drop(io::Write::write(&mut &self.line, b"r"));
        loop {
            self.drain();
            if self.signs() != stuck || !self.rest(PollTimeout::ZERO) {
                return flushed;
            }
            self.is_readable(self.tick);
        }
    }

    /// Answers what the daemon has read and left: its numbers are unknown, so all it can have.
    fn sweep(&self) {
        let highest = self.page.beat().highest.load(Ordering::Relaxed);
        for fd in 0..highest.saturating_add(SLACK) {
            self.allow(fd);
        }
    }

    /// Answers what nobody has read yet.
    fn drain(&self) {
        let mut buffer = [0; 16 * raw::EVENT_SIZE];
        while let Ok(length) = self.group.read(&mut buffer) {
            let mut bytes = &buffer[..length];
            while let Some(head) = raw::head(bytes) {
                bytes = &bytes[head.len..];
                // The number may be that of an event which the daemon has read as well; both go.
                self.allow(head.fd);
                drop(raw::event_fd(head));
            }
        }
    }

    fn allow(&self, fd: RawFd) {
        while self.group.answer(fd, Answer::Allow).is_ok() {
            self.page.beat().released.fetch_add(1, Ordering::Relaxed);
        }
    }
}
