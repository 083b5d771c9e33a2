//! `scopeward run` in a forked process of the test, with a holder that lets everything happen.

use std::{
    fs::File,
    io::Read as _,
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use clap::Parser as _;
use nix::{
    fcntl::OFlag,
    libc,
    sys::{
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, fork, pipe2, setpgid},
};
use tempfile::TempDir;

use crate::{
    api::{report::Report, types::ScopeChoice},
    cli::{
        Cli, Command,
        run::{
            holder::{Enrolment, HoldError, Holder, Remaining},
            launch::{Way, with},
            telling::Telling,
        },
    },
    scope::words::Mode,
};

/// The longest that anything here may take.
pub(super) const BOUND: Duration = Duration::from_secs(20);

/// Holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Free {
    /// Says that the session is frozen.
    pub(super) frozen: bool,
    /// Refuses to hold.
    pub(super) refuses: bool,
    /// The command is to die with its supervisor.
    pub(super) dies: bool,
}

impl Holder for Free {
    fn enrol(&mut self, _: Pid, scope: &ScopeChoice, mode: Option<Mode>) -> Result<Enrolment, HoldError> {
        if self.refuses {
            return Err(HoldError::Scope {
                why: "no such scope".into(),
                remedy: "take another one".into(),
            });
        }
        let ScopeChoice::Named(scope) = scope else {
            panic!("{scope:?}")
        };
        Ok(Enrolment {
            session: "s-1".into(),
            scope: scope.clone(),
            built_in: true,
            mode: mode.unwrap_or_default(),
            warnings: vec!["nothing is held".into(), "not at all".into()],
        })
    }

    fn follow(&mut self, _: Arc<Mutex<Telling>>) -> Result<(), HoldError> {
        Ok(())
    }

    fn frozen(&mut self) -> Option<bool> {
        Some(self.frozen)
    }

    fn finish(&mut self, _: Remaining, _: Duration) -> Option<String> {
        None
    }

    fn report(&mut self) -> Result<Report, HoldError> {
        Err(HoldError::Failed("report: nothing holds it".to_owned()))
    }
}

/// Runs `words` as `scopeward run` does, in this process, and ends it with the status. For forked processes.
pub(super) fn become_run(words: &[&str], holder: Free) -> ! {
    let line = ["scopeward", "run"].into_iter().chain(words.iter().copied());
    let status = match Cli::try_parse_from(line).map(|cli| cli.command) {
        Ok(Command::Run(args)) => {
            let way = Way {
                dies_with_supervisor: holder.dies,
                open: Box::new(move || Ok(Box::new(holder))),
            };
            with(&args, Path::new("/nonexistent"), || Ok(way)).unwrap_or_else(|error| {
                write_all(&error.text());
                error.status()
            })
        }
        other => {
            write_all(&format!("{other:?}"));
            2
        }
    };
    // SAFETY: nothing of the test's process is to be run down in its fork.
    unsafe { libc::_exit(i32::from(status)) }
}

fn write_all(text: &str) {
    // SAFETY: the bytes are there.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

/// A run with pipes for its standard descriptors, in a process group of its own.
pub(super) struct Supervised {
    pub(super) pid: Pid,
    pub(super) stdin: Option<File>,
    stdout: File,
    stderr: File,
    /// Where it keeps what it tells the agent: a supervisor that is killed cannot remove that.
    _runtime: TempDir,
}

/// How a run ended, and what it and its command have written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) status: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Supervised {
    /// Starts `words` (options, `--`, the command); `prepare` runs in the new process before.
    pub(super) fn start(words: &[&str], holder: Free, prepare: impl FnOnce()) -> Self {
        let pipe = || pipe2(OFlag::O_CLOEXEC).unwrap();
        let [stdin, stdout, stderr]: [(OwnedFd, OwnedFd); 3] = [pipe(), pipe(), pipe()];
        let runtime = tempfile::tempdir().unwrap();
        // SAFETY: the child does what one thread may do; the allocator of glibc is made usable in it.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                setpgid(Pid::from_raw(0), Pid::from_raw(0)).unwrap();
                dup2_stdin(&stdin.0).unwrap();
                dup2_stdout(&stdout.1).unwrap();
                dup2_stderr(&stderr.1).unwrap();
                drop((stdin, stdout, stderr));
                // SAFETY: this process has one thread.
                unsafe { std::env::set_var("XDG_RUNTIME_DIR", runtime.path()) };
                prepare();
                become_run(words, holder)
            }
            ForkResult::Parent { child } => Self {
                pid: child,
                stdin: Some(stdin.1.into()),
                stdout: stdout.0.into(),
                stderr: stderr.0.into(),
                _runtime: runtime,
            },
        }
    }

    /// Waits until the command has written `text` (whole) to standard output.
    pub(super) fn await_output(&mut self, text: &str) {
        let mut got = vec![0; text.len()];
        self.stdout.read_exact(&mut got).unwrap();
        assert_eq!(String::from_utf8(got).unwrap(), text);
    }

    /// Sends a signal to the supervisor alone.
    pub(super) fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }

    /// The command's process id.
    pub(super) fn command(&self) -> Pid {
        children(self.pid).first().copied().unwrap()
    }

    /// Waits for the end.
    pub(super) fn done(mut self) -> Done {
        drop(self.stdin.take());
        let status = end_of(self.pid);
        let mut done = Done {
            status,
            stdout: String::new(),
            stderr: String::new(),
        };
        nonblocking(&self.stdout);
        nonblocking(&self.stderr);
        // What the command left running may keep the pipes open.
        drop(self.stdout.read_to_string(&mut done.stdout));
        drop(self.stderr.read_to_string(&mut done.stderr));
        done
    }
}

fn nonblocking(file: &File) {
    // SAFETY: flags of an open descriptor.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
}

/// Runs `words` to their end, with nothing on standard input.
pub(super) fn run(words: &[&str]) -> Done {
    Supervised::start(words, Free::default(), || {}).done()
}

/// The exit status of the child `pid`; kills its process group where it takes too long.
pub(super) fn end_of(pid: Pid) -> i32 {
    let begun = Instant::now();
    loop {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)).unwrap() {
            WaitStatus::Exited(_, status) => return status,
            WaitStatus::Signaled(_, signal, _) => return -(signal as i32),
            _ if begun.elapsed() > BOUND => {
                killpg(pid, Signal::SIGKILL).ok();
                panic!("the run does not end");
            }
            _ => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// The children of a process.
pub(super) fn children(pid: Pid) -> Vec<Pid> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let list = std::fs::read_to_string(path).unwrap_or_default();
    list.split_whitespace()
        .map(|word| Pid::from_raw(word.parse().unwrap()))
        .collect()
}

/// Asks until it is so.
pub(super) fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < BOUND, "it does not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}
