//! The signals that the supervisor takes by reading instead of by interruption: blocked before the fork, so that none
//! is lost and none ends the supervisor before its child.

use std::os::fd::{AsFd, BorrowedFd};

use nix::{
    libc,
    sys::{
        signal::{SigSet, SigmaskHow, Signal, pthread_sigmask},
        signalfd::{SfdFlags, SignalFd, siginfo},
    },
};

/// What is passed on to the command.
const PASSED_ON: [Signal; 7] = [
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
];

/// What only the supervisor is to see: its child's changes, and the terminal's stops, which it follows once its child
/// has stopped.
const OWN: [Signal; 5] = [
    Signal::SIGCHLD,
    Signal::SIGCONT,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];

/// The blocked signals. They stay blocked when it is dropped: one that came together with the end of the command must
/// not take the place of the command's status.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
    before: SigSet,
    child_was_ignored: bool,
}

impl Signals {
    /// Blocks them in this thread and in every thread that it starts.
    ///
    /// What this process was started with as ignored (as by nohup) is left alone: the command inherits that, and is
    /// not told either. Only `SIGCHLD` is taken back from being ignored, since the kernel would reap the command then.
    ///
    /// # Errors
    /// What the system says.
    pub fn block() -> nix::Result<Self> {
        let mut set = SigSet::empty();
        OWN.into_iter().for_each(|signal| set.add(signal));
        PASSED_ON
            .into_iter()
            .filter(|signal| !is_ignored(*signal))
            .for_each(|signal| set.add(signal));
        let child_was_ignored = is_ignored(Signal::SIGCHLD);
        if child_was_ignored {
            // SAFETY: the default disposition runs no code of ours.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        }
        let mut before = SigSet::empty();
        pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&set), Some(&mut before))?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self {
            fd,
            before,
            child_was_ignored,
        })
    }

    /// The next one; `None` where none is waiting.
    ///
    /// # Errors
    /// What the system says.
    pub fn next(&self) -> nix::Result<Option<siginfo>> {
        self.fd.read_signal()
    }

    /// The mask that the command is to start with: the one this process was started with.
    #[must_use]
    pub const fn before(&self) -> &SigSet {
        &self.before
    }

    /// Whether the command is to start with `SIGCHLD` ignored, as this process did.
    #[must_use]
    pub const fn child_was_ignored(&self) -> bool {
        self.child_was_ignored
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn is_ignored(signal: Signal) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with no new action, the call only writes the present one, which is room enough.
    let read = unsafe { libc::sigaction(signal as libc::c_int, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: a call that succeeded has written it.
    read == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}
