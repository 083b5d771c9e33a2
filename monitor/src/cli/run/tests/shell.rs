//! A shell with job control, as small as it can be: a session leader with a terminal of its own and one job.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::{
        fd::{AsFd as _, AsRawFd as _},
        unix::net::UnixStream,
    },
    time::Instant,
};

use nix::{
    errno::Errno,
    libc,
    pty::{OpenptyResult, Winsize, openpty},
    sys::{
        signal::{SigHandler, Signal, killpg, signal},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{
        ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, fork, getpid, setpgid, setsid, tcgetpgrp,
        tcsetpgrp,
    },
};

use super::supervised::{BOUND, Free, become_run};

/// What the shell says of its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Stopped,
    Ended(u8),
}

/// The terminal, and the shell on it.
pub(super) struct Shell {
    pub(super) terminal: File,
    commands: UnixStream,
    shell: Pid,
    shown: String,
}

impl Shell {
    /// Starts `words` as a job on a new terminal of 80 by 24.
    pub(super) fn start(words: &[&str], holder: Free, foreground: bool) -> Self {
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        // SAFETY: the child does what one thread may do.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                drop((master, ours));
                setsid().unwrap();
                // SAFETY: it makes the terminal this session's.
                unsafe { libc::ioctl(slave.as_raw_fd(), libc::TIOCSCTTY, 0) };
                dup2_stdin(&slave).unwrap();
                dup2_stdout(&slave).unwrap();
                dup2_stderr(&slave).unwrap();
                drop(slave);
                serve(words, holder, foreground, theirs)
            }
            ForkResult::Parent { child } => {
                ours.set_read_timeout(Some(BOUND)).unwrap();
                // SAFETY: flags of an open descriptor.
                unsafe { libc::fcntl(master.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
                Self {
                    terminal: master.into(),
                    commands: ours,
                    shell: child,
                    shown: String::new(),
                }
            }
        }
    }

    /// Types on the keyboard.
    pub(super) fn types(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` was shown since the last call.
    pub(super) fn shows(&mut self, text: &str) {
        self.shows_until(text);
    }

    /// Waits until `text` was shown, and returns what was before it.
    pub(super) fn shows_until(&mut self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            if let Some((before, after)) = self.shown.split_once(text) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.shown = after;
                return before;
            }
            assert!(begun.elapsed() < BOUND, "no {text:?} in {:?}", self.shown);
            let mut bytes = [0; 512];
            match self.terminal.read(&mut bytes) {
                Ok(count) => self.shown += &String::from_utf8_lossy(&bytes[..count]),
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        }
    }

    /// What the shell says next of its job.
    pub(super) fn says(&mut self) -> Job {
        let mut bytes = [0; 2];
        if let Err(error) = self.commands.read_exact(&mut bytes) {
            let mut rest = [0; 4_096];
            let count = self.terminal.read(&mut rest).unwrap_or(0);
            panic!(
                "{error}; shown: {:?} {:?}",
                self.shown,
                String::from_utf8_lossy(&rest[..count])
            );
        }
        match bytes {
            [b'S', _] => Job::Stopped,
            [_, status] => Job::Ended(status),
        }
    }

    /// Whether the shell says nothing for so long.
    pub(super) fn is_silent_for(&self, millis: u64) -> bool {
        self.commands.set_nonblocking(true).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(millis));
        let silent = (&self.commands).read(&mut [0; 2]).is_err();
        self.commands.set_nonblocking(false).unwrap();
        silent
    }

    /// `fg`.
    pub(super) fn continues_in_the_foreground(&mut self) {
        self.commands.write_all(b"f").unwrap();
        // Keys typed before it has the terminal would go elsewhere.
        let mut done = [0; 2];
        self.commands.read_exact(&mut done).unwrap();
        assert_eq!(done, *b"C\0");
    }

    /// The name of the program that leads the terminal's foreground group.
    pub(super) fn foreground(&self) -> String {
        let group = tcgetpgrp(self.terminal.as_fd()).unwrap();
        let name = std::fs::read_to_string(format!("/proc/{group}/comm"));
        name.map_or_else(|_| String::new(), |name| name.trim().to_owned())
    }

    /// The terminal's settings.
    pub(super) fn settings(&self) -> nix::sys::termios::Termios {
        nix::sys::termios::tcgetattr(self.terminal.as_fd()).unwrap()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        for job in super::supervised::children(self.shell) {
            killpg(job, Signal::SIGKILL).ok();
        }
        nix::sys::signal::kill(self.shell, Signal::SIGKILL).ok();
        waitpid(self.shell, None).ok();
    }
}

/// The shell itself.
fn serve(words: &[&str], holder: Free, foreground: bool, mut commands: UnixStream) -> ! {
    // SAFETY: ignoring runs no code; it lets the shell hand over the terminal from the background.
    unsafe { signal(Signal::SIGTTOU, SigHandler::SigIgn) }.unwrap();
    // SAFETY: one thread.
    let job = match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let own = getpid();
            setpgid(own, own).unwrap();
            if foreground {
                tcsetpgrp(std::io::stdin(), own).unwrap();
            }
            // SAFETY: back to the default.
            unsafe { signal(Signal::SIGTTOU, SigHandler::SigDfl) }.unwrap();
            become_run(words, holder)
        }
        ForkResult::Parent { child } => child,
    };
    setpgid(job, job).ok();
    loop {
        match waitpid(job, Some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Exited(_, status)) => {
                commands
                    .write_all(&[b'E', u8::try_from(status).unwrap()])
                    .unwrap();
            }
            Ok(WaitStatus::Stopped(..)) => {
                tcsetpgrp(std::io::stdin(), getpid()).unwrap();
                commands.write_all(b"S\0").unwrap();
                let mut command = [0];
                commands.read_exact(&mut command).unwrap();
                tcsetpgrp(std::io::stdin(), job).unwrap();
                killpg(job, Signal::SIGCONT).unwrap();
                commands.write_all(b"C\0").unwrap();
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                commands.write_all(&[b'E', 128 + signal as u8]).unwrap();
            }
            Err(Errno::ECHILD) => {
                // The terminal is hung up with its session leader, and has to be looked at first.
                drop(commands.read(&mut [0]));
                // SAFETY: nothing of the test's process is to be run down in its fork.
                unsafe { libc::_exit(0) }
            }
            _ => {}
        }
    }
}
