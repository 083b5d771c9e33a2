//! Waits for the command, passes signals on to it, and stops when it is stopped.

use std::{
    os::fd::AsFd as _,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    libc::{self, c_int},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{SigSet, Signal, kill, killpg, raise},
    unistd::{Pid, getpgid, getpgrp},
};

use super::{forward::is_for_command, signals::Signals};

/// How long a freeze may take to be known after the command was stopped by it.
const FREEZE_KNOWN: Duration = Duration::from_millis(250);

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with this status.
    Exited(u8),
    /// By this signal.
    Signalled(c_int),
}

impl End {
    /// The status that a shell gives it.
    pub(super) fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Signalled(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

/// What `waitpid` tells.
enum Change {
    None,
    Stopped(c_int),
    Continued,
    Ended(End),
}

/// Waits for one child.
pub(super) struct Supervisor<'s> {
    child: Pid,
    signals: &'s Signals,
    frozen: &'s mut dyn FnMut() -> Option<bool>,
    /// Stopped by `SIGSTOP` at this time: by Scopeward, or by itself or somebody who wants the shell back.
    unclear: Option<Instant>,
    /// This process has followed its stop, and is to let it go on.
    followed: bool,
}

impl<'s> Supervisor<'s> {
    /// Of the process `child`, started with `signals` blocked. `frozen` says whether Scopeward has frozen the session.
    pub(super) fn new(child: Pid, signals: &'s Signals, frozen: &'s mut dyn FnMut() -> Option<bool>) -> Self {
        Self {
            child,
            signals,
            frozen,
            unclear: None,
            followed: false,
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// What the system says; the command then goes on alone.
    pub(super) fn wait(mut self) -> nix::Result<End> {
        loop {
            if let Some(end) = self.look()? {
                return Ok(end);
            }
            self.sleep()?;
            while let Some(info) = self.signals.next()? {
                let signal = i32::try_from(info.ssi_signo)
                    .ok()
                    .and_then(|number| Signal::try_from(number).ok());
                match signal {
                    // The changes of the child are looked for in any case. Its stops are followed once it has
                    // stopped, and continuing it is for whoever has stopped it: a `SIGCONT` passed on would thaw a
                    // session that Scopeward has frozen.
                    Some(
                        Signal::SIGCHLD
                        | Signal::SIGCONT
                        | Signal::SIGTSTP
                        | Signal::SIGTTIN
                        | Signal::SIGTTOU,
                    )
                    | None => {}
                    Some(signal) if is_for_command(&info, self.child) => {
                        // The child is not waited for yet, so the number is its own, even where it has ended.
                        kill(self.child, signal).ok();
                    }
                    Some(_) => {}
                }
            }
            if self.unclear.is_some_and(|since| since.elapsed() >= FREEZE_KNOWN) {
                // While the daemon is away it is asked again: whoever stops here is not woken by the session's end.
                let frozen = (self.frozen)();
                self.unclear = frozen.is_none().then(Instant::now);
                if frozen == Some(false) {
                    self.follow(Signal::SIGSTOP)?;
                }
            }
        }
    }

    /// Until there is a signal, or a stop has to be judged.
    fn sleep(&self) -> nix::Result<()> {
        let rest = self
            .unclear
            .map(|since| FREEZE_KNOWN.saturating_sub(since.elapsed()) + Duration::from_millis(1));
        let timeout = rest.map_or(PollTimeout::NONE, |rest| {
            PollTimeout::try_from(rest).unwrap_or(PollTimeout::ZERO)
        });
        match poll(
            &mut [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes in what has become of the child.
    fn look(&mut self) -> nix::Result<Option<End>> {
        loop {
            match self.change()? {
                Change::Ended(end) => return Ok(Some(end)),
                Change::Continued => {
                    self.unclear = None;
                    self.followed = false;
                }
                Change::Stopped(libc::SIGSTOP) => self.unclear = Some(Instant::now()),
                Change::Stopped(signal) => self.follow(Signal::try_from(signal)?)?,
                Change::None if self.followed => {
                    self.followed = false;
                    self.let_go_on();
                }
                Change::None => return Ok(None),
            }
        }
    }

    /// Stops this process as its child was stopped, so that the shell sees a stopped job; returns once the shell has
    /// continued it. (In a process group that no shell looks after, the kernel does not stop it, and the child goes on
    /// at once: nobody could continue it later.)
    fn follow(&mut self, signal: Signal) -> nix::Result<()> {
        self.followed = true;
        let mut only = SigSet::empty();
        only.add(signal);
        raise(signal)?;
        only.thread_unblock()?;
        only.thread_block()
    }

    /// Continues the child, where the shell has not: it continues this process's group only.
    fn let_go_on(&self) {
        // A child that has ended meanwhile needs nothing.
        match getpgid(Some(self.child)) {
            Ok(group) if group != getpgrp() => killpg(group, Signal::SIGCONT).ok(),
            _ => kill(self.child, Signal::SIGCONT).ok(),
        };
    }

    /// Not nix's `waitpid`, which fails for a child that a real-time signal has ended.
    fn change(&self) -> nix::Result<Change> {
        let mut status = 0;
        let flags = libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED;
        // SAFETY: the status is written to where there is room for it.
        let found = unsafe { libc::waitpid(self.child.as_raw(), &raw mut status, flags) };
        Ok(match Errno::result(found) {
            Err(Errno::EINTR) | Ok(0) => Change::None,
            Err(error) => return Err(error),
            Ok(_) if libc::WIFSTOPPED(status) => Change::Stopped(libc::WSTOPSIG(status)),
            Ok(_) if libc::WIFCONTINUED(status) => Change::Continued,
            Ok(_) if libc::WIFSIGNALED(status) => Change::Ended(End::Signalled(libc::WTERMSIG(status))),
            Ok(_) => Change::Ended(End::Exited(
                u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(u8::MAX),
            )),
        })
    }
}
