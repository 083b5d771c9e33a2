//! The daemon under demonstration, and its command line.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::demo::stage::Stage;
use crate::process;

/// How long the daemon may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Names the settings, and with them the daemon that the command line talks to.
const CONFIG_ENV: &str = "SCOPEWARD_CONFIG";

/// A running daemon; killed with the value if it was not ended before.
pub struct Daemon {
    binary: PathBuf,
    settings: PathBuf,
    log: PathBuf,
    process: Child,
}

impl Daemon {
    /// Starts `binary` with the settings of `stage`, and waits until it answers.
    ///
    /// # Errors
    /// A sentence and what the daemon said, when it ends or is not ready in time.
    pub fn start(binary: &Path, stage: &Stage) -> Result<Self, String> {
        let log = stage.path("daemon.log");
        let cannot = |error: std::io::Error| format!("cannot start the daemon: {error}");
        let output = File::create(&log).map_err(cannot)?;
        let process = Command::new(binary)
            .args(["daemon", "--config"])
            .arg(stage.path("daemon.toml"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(cannot)?)
            .stderr(output)
            .spawn()
            .map_err(cannot)?;
        let mut daemon = Self {
            binary: binary.to_path_buf(),
            settings: stage.path("daemon.toml"),
            log,
            process,
        };
        let began = Instant::now();
        loop {
            if process::read(daemon.command().args(["status", "--json"])).is_ok() {
                return Ok(daemon);
            }
            if let Some(status) = daemon.process.try_wait().map_err(cannot)? {
                return Err(format!("the daemon ended with {status}:\n{}", daemon.words()));
            }
            if began.elapsed() > PATIENCE {
                return Err(format!(
                    "the daemon does not answer after {PATIENCE:?}:\n{}",
                    daemon.words()
                ));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// `scopeward`, talking to this daemon; without arguments yet.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env(CONFIG_ENV, &self.settings);
        command
    }

    /// What `scopeward WORDS --json` lists.
    ///
    /// # Errors
    /// A sentence, when it fails or does not write JSON lines.
    pub fn list(&self, words: &[&str]) -> Result<Vec<Value>, String> {
        let text = process::read(self.command().args(words).arg("--json"))?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let parse = |line| {
            serde_json::from_str(line)
                .map_err(|error| format!("`scopeward {}` wrote {line}: {error}", words.join(" ")))
        };
        lines.map(parse).collect()
    }

    /// The events of `agent`, once those that `complete` waits for are in the store, or after three seconds:
    /// what was recorded is written a moment after it happened.
    ///
    /// # Errors
    /// Those of [`Daemon::list`].
    pub fn events(&self, agent: &str, complete: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>, String> {
        let began = Instant::now();
        loop {
            let events = self.list(&["events", "--agent", agent, "--limit", "0"])?;
            if complete(&events) || began.elapsed() > Duration::from_secs(3) {
                return Ok(events);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends it as systemd would, and waits for the end.
    ///
    /// # Errors
    /// A sentence and what the daemon said, when it does not end in time or not with 0.
    pub fn end(mut self) -> Result<(), String> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), String> {
        // The shell's own kill: a minimal system has no other.
        process::run(Command::new("sh").args(["-c", &format!("kill -TERM {}", self.pid())]))?;
        let began = Instant::now();
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("the daemon ended with {status}:\n{}", self.words())),
                Ok(None) if began.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
                _ => return Err(format!("the daemon does not end on SIGTERM:\n{}", self.words())),
            }
        }
    }

    fn words(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let ended = matches!(self.process.try_wait(), Ok(Some(status)) if status.success());
        if ended || self.stop().is_ok() {
            return;
        }
        // What a daemon that was killed still holds in the kernel is let go by the next one.
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("demo: the daemon could not be killed: {error}");
        }
        if let Err(reason) = process::read(self.command().args(["daemon", "--release"])) {
            eprintln!("demo: the kernel may still hold the daemon's programs: {reason}");
        }
    }
}
