//! A command in an agent session: `scopeward run`, its events and its end.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use crate::process::Bounded;
use crate::scratch::Scratch;

/// How long a session may take.
const BOUND: Duration = Duration::from_secs(600);

/// The settings of the daemon that holds all sessions of this test program; unset, each run holds its own.
static SHARED: OnceLock<PathBuf> = OnceLock::new();

/// From now on sessions are held by the daemon with these settings: where loading takes long, it is done once.
pub fn share(settings: PathBuf) {
    SHARED.get_or_init(|| settings);
}

/// A `scopeward run` that has not been started.
pub struct Session<'a> {
    scratch: &'a Scratch,
    scope: PathBuf,
    events: PathBuf,
    report: Option<PathBuf>,
    mode: &'static str,
}

/// A session that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The status of `scopeward run`.
    pub status: ExitStatus,
    /// What it and the command wrote to standard output.
    pub stdout: String,
    /// What they wrote to standard error.
    pub stderr: String,
    /// The events that it wrote.
    pub events: Vec<Value>,
}

impl<'a> Session<'a> {
    /// A session under the scope file `scope`, in enforce mode, that writes its events to `events` in `scratch`.
    #[must_use]
    pub fn new(scratch: &'a Scratch, scope: &Path) -> Self {
        Self {
            scratch,
            scope: scope.to_owned(),
            events: scratch.path("events"),
            report: None,
            mode: "enforce",
        }
    }

    /// Only decides and records.
    #[must_use]
    pub const fn observing(mut self) -> Self {
        self.mode = "observe";
        self
    }

    /// Writes its events to another file, or with `-` to standard output.
    #[must_use]
    pub fn events_to(mut self, events: &Path) -> Self {
        events.clone_into(&mut self.events);
        self
    }

    /// Writes a report to `report` at its end.
    #[must_use]
    pub fn reporting_to(mut self, report: &Path) -> Self {
        self.report = Some(report.to_owned());
        self
    }

    /// The command line for `words` in the session, as a command to start.
    #[must_use]
    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = self.scratch.scopeward(&["run", "--mode", self.mode, "--scope"]);
        if let Some(settings) = SHARED.get() {
            command.env("SCOPEWARD_CONFIG", settings);
        }
        command.arg(&self.scope).arg("--events").arg(&self.events);
        if let Some(report) = &self.report {
            command.arg("--report").arg(report);
        }
        command.arg("--").args(words);
        command
    }

    /// Starts `words` in the session.
    ///
    /// # Errors
    /// Those of starting a process.
    pub fn start<S: AsRef<OsStr>>(&self, words: &[S]) -> io::Result<Bounded> {
        Bounded::start(&mut self.command(words))
    }

    /// Runs `words` in the session to its end.
    ///
    /// # Errors
    /// Those of starting; `TimedOut`; `InvalidData` for an event that is not JSON.
    pub fn run<S: AsRef<OsStr>>(&self, words: &[S]) -> io::Result<Ended> {
        self.end(self.start(words)?)
    }

    /// Waits for a session that [`Session::start`] began.
    ///
    /// # Errors
    /// `TimedOut`; `InvalidData` for an event that is not JSON.
    pub fn end(&self, running: Bounded) -> io::Result<Ended> {
        let output = running.finish(BOUND)?;
        Ok(Ended {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            events: read_events(&self.events)?,
        })
    }
}

/// The events in the NDJSON file at `path`; none where there is no file.
///
/// # Errors
/// Those of reading; `InvalidData` for a line that is not JSON.
pub fn read_events(path: &Path) -> io::Result<Vec<Value>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).map_err(io::Error::from))
        .collect()
}

/// The events that are cuts: the scope called for more than `allow`.
pub fn cuts(events: &[Value]) -> impl Iterator<Item = &Value> {
    events.iter().filter(|event| {
        event["verdict"]["called_for"]
            .as_str()
            .is_some_and(|word| word != "allow")
    })
}

impl Ended {
    /// The cuts of the given kind.
    #[must_use]
    pub fn cuts_of(&self, kind: &str) -> Vec<&Value> {
        cuts(&self.events)
            .filter(|event| event["act"]["kind"] == kind)
            .collect()
    }

    /// How many cuts there were: each event stands for `count` acts.
    #[must_use]
    pub fn cut_count(&self) -> u64 {
        cuts(&self.events)
            .map(|event| event["count"].as_u64().unwrap_or(1))
            .sum()
    }
}
