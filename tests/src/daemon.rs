//! A daemon of the test's own, with its own directories.

use std::io;
use std::process::Output;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde_json::Value;

use crate::process::{Bounded, wait_until};
use crate::scratch::Scratch;

/// How long a daemon may take to be ready, or to end.
const BOUND: Duration = Duration::from_secs(30);
/// How long a question to it may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A running daemon; killed when the value is dropped.
pub struct Daemon<'a> {
    scratch: &'a Scratch,
    process: Bounded,
}

impl<'a> Daemon<'a> {
    /// Starts the daemon of `scratch` and waits until it answers.
    ///
    /// # Errors
    /// Those of starting; `TimedOut` with what it said.
    pub fn start(scratch: &'a Scratch) -> io::Result<Self> {
        Self::start_with(scratch, &[])
    }

    /// The same with these variables in its environment.
    ///
    /// # Errors
    /// As [`Daemon::start`].
    pub fn start_with(scratch: &'a Scratch, environment: &[(&str, &str)]) -> io::Result<Self> {
        scratch.note_daemon();
        let mut command = scratch.scopeward(&["daemon"]);
        command.envs(environment.iter().copied());
        let mut process = Bounded::start(&mut command)?;
        let ready = wait_until(BOUND, || {
            !process.is_running().unwrap_or(false) || status(scratch).is_ok()
        });
        if ready && process.is_running()? {
            return Ok(Self { scratch, process });
        }
        let why = match process.finish(Duration::ZERO) {
            Ok(output) => said(&output),
            Err(error) => error.to_string(),
        };
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the daemon is not ready: {why}"),
        ))
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// What `status --json` says.
    ///
    /// # Errors
    /// Those of asking.
    pub fn status(&self) -> io::Result<Value> {
        status(self.scratch)
    }

    /// Ends it as a service manager does, with SIGTERM.
    ///
    /// # Errors
    /// `TimedOut`; those of `kill`.
    pub fn stop(self) -> io::Result<Output> {
        self.process.signal(Signal::SIGTERM)?;
        self.process.finish(BOUND)
    }

    /// Ends it without a chance to tidy up.
    ///
    /// # Errors
    /// Those of `kill`.
    pub fn kill(self) -> io::Result<Output> {
        self.process.signal(Signal::SIGKILL)?;
        self.process.finish(BOUND)
    }
}

/// What `status --json` says to the daemon of `scratch`.
///
/// # Errors
/// Those of asking; `Other` where it answers with an exit code that is not 0; `InvalidData` for what is no JSON.
pub fn status(scratch: &Scratch) -> io::Result<Value> {
    let output = ask(scratch, &["status", "--json"])?;
    if !output.status.success() {
        return Err(io::Error::other(said(&output)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Runs `scopeward` with `arguments` and the settings of `scratch`, to its end.
///
/// # Errors
/// Those of starting; `TimedOut`.
pub fn ask(scratch: &Scratch, arguments: &[&str]) -> io::Result<Output> {
    Bounded::start(&mut scratch.scopeward(arguments))?.finish(ANSWER)
}

/// The objects of a listing with `--json`, one a line.
///
/// # Errors
/// Those of [`ask`]; `InvalidData` for a line that is no JSON.
pub fn listing(scratch: &Scratch, arguments: &[&str]) -> io::Result<Vec<Value>> {
    let output = ask(scratch, arguments)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(io::Error::from))
        .collect()
}

/// All that a process said and how it ended, for messages.
#[must_use]
pub fn said(output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    format!("{}; stdout: {out}; stderr: {err}", output.status)
}

/// What is left of a daemon that has ended: mounts below its directories, and files in its `run`.
///
/// # Errors
/// Those of reading.
pub fn leftovers(scratch: &Scratch) -> io::Result<Vec<String>> {
    let run = scratch.path("run");
    let prefix = run.display().to_string();
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    let mut left: Vec<String> = mounts
        .lines()
        .filter(|line| line.contains(&prefix))
        .map(|line| format!("mount: {line}"))
        .collect();
    for entry in std::fs::read_dir(run)? {
        left.push(format!("file: {}", entry?.path().display()));
    }
    Ok(left)
}
