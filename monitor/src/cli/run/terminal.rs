//! The terminal as it was before the command, for a command that had no chance to put it back.

use std::{
    io::{stderr, stdin, stdout},
    os::fd::{AsFd as _, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::{
        signal::killpg,
        termios::{SetArg, Termios, tcgetattr, tcsetattr},
    },
    unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp},
};

/// The settings of the terminal that the run was started on.
pub(super) struct Terminal {
    fd: OwnedFd,
    settings: Termios,
}

impl Terminal {
    /// Of the terminal among the standard descriptors; `None` where there is none, or where this process is in the
    /// background there: then it is not this process's to set.
    pub(super) fn save() -> Option<Self> {
        let (stdin, stdout, stderr) = (stdin(), stdout(), stderr());
        [stdin.as_fd(), stderr.as_fd(), stdout.as_fd()]
            .into_iter()
            .find_map(|fd| {
                let foreground = tcgetpgrp(fd).ok()? == getpgrp();
                let settings = tcgetattr(fd).ok()?;
                let fd = foreground.then(|| fd.try_clone_to_owned().ok())??;
                Some(Self { fd, settings })
            })
    }

    /// Takes the terminal back from a command that was killed while it had the terminal for itself, and sets what it
    /// may have set: otherwise the shell would come back to a terminal without echo and line ends. To be called with
    /// `SIGTTOU` blocked.
    pub(super) fn restore(&self, child: Pid) {
        let own = getpgrp();
        let Ok(foreground) = tcgetpgrp(&self.fd) else {
            return;
        };
        let orphaned = || foreground == child || killpg(foreground, None) == Err(Errno::ESRCH);
        if foreground == own || (orphaned() && tcsetpgrp(&self.fd, own).is_ok()) {
            // A terminal that is gone needs no settings.
            tcsetattr(&self.fd, SetArg::TCSADRAIN, &self.settings).ok();
        }
    }
}
