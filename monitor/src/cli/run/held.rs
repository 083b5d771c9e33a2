//! The command as a process that has not run its first instruction yet.

use std::{
    ffi::OsString,
    io::{self, Read as _, Write as _},
    os::fd::{AsRawFd as _, OwnedFd},
};

use nix::{
    errno::Errno,
    fcntl::OFlag,
    libc,
    sys::{
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::{ForkResult, Pid, fork, getpid, pipe2},
};

use super::{
    exec::{Ids, Plan, Step, TOLD, become_program},
    program::{Program, ZeroByte},
    signals::Signals,
    user::RunAs,
};

/// Why there is no process.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A word cannot be passed on.
    #[error(transparent)]
    Word(#[from] ZeroByte),
    /// The system has no room for a process or a pipe.
    #[error("start a process: {0}")]
    System(#[from] nix::Error),
    /// It could not become the calling user.
    #[error("run as user {name}: {}", io::Error::from_raw_os_error(*.errno))]
    User {
        /// The user's name.
        name: String,
        /// What the system said.
        errno: i32,
    },
    /// It ended before it was ready.
    #[error("start a process: it ended at once")]
    Gone,
}

/// Why the command did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecError {
    /// The command, as given.
    pub name: OsString,
    /// The system's error number.
    pub errno: i32,
}

impl ExecError {
    /// The status that a shell gives: 127 where there is no such program, 126 where it cannot be run.
    #[must_use]
    pub const fn status(&self) -> u8 {
        if self.errno == libc::ENOENT || self.errno == libc::ENOTDIR {
            127
        } else {
            126
        }
    }
}

impl std::fmt::Display for ExecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name.to_string_lossy();
        if self.status() == 127 && !name.contains('/') {
            return write!(f, "{name}: command not found");
        }
        let said = Errno::from_raw(self.errno).desc();
        write!(f, "{name}: {said}")
    }
}

/// What the command is started with, beside itself.
#[derive(Debug)]
pub struct Start<'s> {
    /// As whom; `None` for the caller.
    pub user: Option<&'s RunAs>,
    /// One more variable for its environment.
    pub variable: Option<(OsString, OsString)>,
    /// The blocked signals, which the command gets back as they were.
    pub signals: &'s Signals,
    /// Kill it when this thread ends, so that it never runs with nobody holding it. The kernel forgets this when the
    /// command executes a set-user-id or set-group-id program or one with file capabilities, and it covers the
    /// command alone, not what the command started: those have to be ended by whoever releases the session.
    pub dies_with_supervisor: bool,
}

/// The held command. Dropped before it is released, it is killed without having run.
#[derive(Debug)]
pub struct Held {
    pid: Pid,
    name: OsString,
    hold: Option<std::fs::File>,
    report: std::fs::File,
}

impl Held {
    /// Starts a process that waits before the exec of `command`. It has this process's terminal, process group,
    /// descriptors, working directory and environment; with a user, that user's ids, groups and environment.
    ///
    /// # Errors
    /// [`SpawnError`]; no process is left then.
    pub fn spawn(command: &[OsString], start: &Start<'_>) -> Result<Self, SpawnError> {
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        if let Some(user) = start.user {
            env = user.environment(env);
        }
        if let Some((name, value)) = &start.variable {
            env.retain(|(known, _)| known != name);
            env.push((name.clone(), value.clone()));
        }
        let program = Program::new(command, &env)?;
        let groups: Vec<libc::gid_t> = start
            .user
            .map(|user| user.groups.iter().map(|group| group.as_raw()).collect())
            .unwrap_or_default();
        let (hold_child, hold) = pipe2(OFlag::O_CLOEXEC)?;
        let (report, report_child) = pipe2(OFlag::O_CLOEXEC)?;
        let mut plan = Plan {
            program: program.pointers(),
            ids: start.user.map(|user| Ids {
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
                groups: &groups,
            }),
            dies_with: start.dies_with_supervisor.then(|| getpid().as_raw()),
            hold: hold_child.as_raw_fd(),
            report: report_child.as_raw_fd(),
            parents: [hold.as_raw_fd(), report.as_raw_fd()],
            mask: *start.signals.before().as_ref(),
            ignore_child: start.signals.child_was_ignored(),
        };
        // SAFETY: the child goes straight into `become_program`, which only makes system calls.
        let pid = match unsafe { fork() }? {
            // SAFETY: this is the new process.
            ForkResult::Child => unsafe { become_program(&mut plan) },
            ForkResult::Parent { child } => child,
        };
        drop::<[OwnedFd; 2]>([hold_child, report_child]);
        let mut held = Self {
            pid,
            name: program.name.clone(),
            hold: Some(hold.into()),
            report: report.into(),
        };
        match held.told() {
            Some(Step::Ready) => Ok(held),
            Some(Step::User(errno) | Step::Exec(errno)) => {
                let name = start.user.map_or_else(String::new, |user| user.name.clone());
                Err(SpawnError::User { name, errno })
            }
            None => Err(SpawnError::Gone),
        }
    }

    /// Its process id.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// Lets it run. Whether the exec worked is known once it has ended, or runs: [`Released::exec_error`]. (Nothing
    /// waits for that here: a command that is stopped by the terminal right now would keep its supervisor from
    /// stopping too.)
    #[must_use]
    pub fn release(mut self) -> Released {
        if let Some(mut hold) = self.hold.take() {
            // A child that died meanwhile is seen by whoever waits for it.
            drop(hold.write_all(&[1]));
        }
        Released(self)
    }

    fn told(&mut self) -> Option<Step> {
        let mut bytes = [0; TOLD];
        self.report.read_exact(&mut bytes).ok()?;
        Some(Step::read(bytes))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.hold.is_none() {
            return;
        }
        // Nobody else waits for it, so the number is still its own.
        kill(self.pid, Signal::SIGKILL).ok();
        waitpid(self.pid, None).ok();
    }
}

/// A command that runs, or has failed to.
#[derive(Debug)]
pub struct Released(Held);

impl Released {
    /// Its process id.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.0.pid
    }

    /// Why the exec failed, where it did. To be asked once the process has ended: it waits for the exec otherwise.
    #[must_use]
    pub fn exec_error(mut self) -> Option<ExecError> {
        match self.0.told() {
            Some(Step::Exec(errno)) => Some(ExecError {
                name: self.0.name.clone(),
                errno,
            }),
            _ => None,
        }
    }
}
