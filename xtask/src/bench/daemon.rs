//! The daemon that is measured, the sessions in it, and questions to it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::load::Load;
use crate::bench::scopes::Scope;
use crate::bench::stage::Stage;
use crate::process;

/// How long the daemon may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running daemon; killed with the value if it was not ended before.
pub struct Daemon {
    binary: PathBuf,
    settings: PathBuf,
    log: PathBuf,
    process: Child,
    /// From the start to the first answer.
    pub ready_after: Duration,
}

impl Daemon {
    /// Starts `binary` with the settings of `stage`, and waits until it answers.
    ///
    /// # Errors
    /// A sentence and what the daemon said, when it ends or is not ready in time.
    pub fn start(binary: &Path, stage: &Stage) -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("cannot start the daemon: {error}");
        let (settings, log) = (stage.path("daemon.toml"), stage.path("daemon.log"));
        let output = File::create(&log).map_err(cannot)?;
        let began = Instant::now();
        let process = Command::new(binary)
            .arg("daemon")
            .arg("--config")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(cannot)?)
            .stderr(output)
            .spawn()
            .map_err(cannot)?;
        let mut daemon = Self {
            binary: binary.to_path_buf(),
            settings,
            log,
            process,
            ready_after: Duration::ZERO,
        };
        loop {
            if daemon.ask(&["status"]).is_ok() {
                daemon.ready_after = began.elapsed();
                return Ok(daemon);
            }
            let ended = daemon.process.try_wait().map_err(cannot)?;
            if ended.is_some() || began.elapsed() > PATIENCE {
                let how = ended.map_or_else(
                    || "does not answer".to_owned(),
                    |status| format!("ended with {status}"),
                );
                return Err(format!("the daemon {how}:\n{}", daemon.words()));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// `scopeward`, talking to this daemon; without arguments yet.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.settings);
        command
    }

    /// `load` in a session of its own that is held to `scope`, without its order.
    pub fn inside(&self, scope: &Scope, load: &Load) -> Command {
        let mut command = self.command();
        command
            .args(["run", "--scope", &scope.name, "--"])
            .arg(load.program());
        command
    }

    /// What `scopeward WORDS --json` says, an object for each line.
    ///
    /// # Errors
    /// A sentence, when it fails or does not write JSON.
    pub fn ask(&self, words: &[&str]) -> Result<Vec<Value>, String> {
        let text = process::read(self.command().args(words).arg("--json"))?;
        let parse = |line| {
            serde_json::from_str(line)
                .map_err(|error| format!("`scopeward {}` wrote {line}: {error}", words.join(" ")))
        };
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(parse)
            .collect()
    }

    /// How many events were lost so far: in the kernel, by hook and reason, and for want of room before the store.
    ///
    /// # Errors
    /// A sentence, when the daemon does not answer.
    pub fn losses(&self) -> Result<Vec<(String, u64)>, String> {
        let status = self
            .ask(&["status"])?
            .into_iter()
            .next()
            .ok_or("status is empty")?;
        let of_hooks = status["losses"].as_object().into_iter().flatten();
        let mut losses: Vec<(String, u64)> = of_hooks
            .map(|(hook, count)| (hook.clone(), count.as_u64().unwrap_or(0)))
            .collect();
        losses.push(("store".to_owned(), status["store"]["lost"].as_u64().unwrap_or(0)));
        losses.retain(|(_, count)| *count > 0);
        Ok(losses)
    }

    /// How each exporter is doing.
    ///
    /// # Errors
    /// A sentence, when the daemon does not answer.
    pub fn exporters(&self) -> Result<Vec<Value>, String> {
        // Its exit code tells of one that does not deliver; so does what it says.
        let output = self
            .command()
            .args(["export", "status", "--json"])
            .output()
            .map_err(|error| format!("cannot ask for the exporters: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let parse =
            |line| serde_json::from_str(line).map_err(|error| format!("export status wrote {line}: {error}"));
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(parse)
            .collect()
    }

    /// How many cuts all sessions have had.
    ///
    /// # Errors
    /// A sentence, when the daemon does not answer.
    pub fn counts(&self) -> Result<u64, String> {
        let sessions = self.ask(&["sessions", "--all"])?;
        Ok(sessions
            .iter()
            .filter_map(|session| session["cuts"].as_u64())
            .sum())
    }

    /// Begins `count` sessions that are held to `scope` and do nothing, one after the other.
    ///
    /// # Errors
    /// A sentence, when one does not begin.
    pub fn sessions(&self, scope: &Scope, load: &Load, count: usize) -> Result<Sessions, String> {
        let mut sessions = Sessions {
            children: Vec::with_capacity(count),
        };
        let cannot = |error: std::io::Error| format!("cannot begin a session: {error}");
        for _ in 0..count {
            let mut session = self.inside(scope, load);
            session.arg("wait").stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = session.spawn().map_err(cannot)?;
            let output = child.stdout.take().ok_or("a session has no output")?;
            sessions.children.push(child);
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map_err(cannot)?;
            if line != "ready\n" {
                return Err(format!("a session did not begin, and said {line:?}"));
            }
        }
        Ok(sessions)
    }

    /// Ends it as a service manager would, and waits for the end.
    ///
    /// # Errors
    /// A sentence and what the daemon said, when it does not end in time or not with 0.
    pub fn end(mut self) -> Result<(), String> {
        match self.terminate()? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("the daemon ended with {status}:\n{}", self.words())),
            None => Err(format!("the daemon does not end on SIGTERM:\n{}", self.words())),
        }
    }

    /// Sends SIGTERM; `None` where it goes on for too long.
    fn terminate(&mut self) -> Result<Option<ExitStatus>, String> {
        let cannot = |error: std::io::Error| format!("cannot wait for the daemon: {error}");
        if let Some(status) = self.process.try_wait().map_err(cannot)? {
            return Ok(Some(status));
        }
        process::run(Command::new("kill").args(["-TERM", &self.pid().to_string()]))?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait().map_err(cannot)? {
                return Ok(Some(status));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(None)
    }

    fn words(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Killed outright it would leave its programs in the kernel, as it has to.
        match self.terminate() {
            Ok(Some(_)) => {}
            // Both fail, and rightly so, where it has ended meanwhile.
            Ok(None) | Err(_) => {
                drop(self.process.kill());
                drop(self.process.wait());
            }
        }
    }
}

/// Sessions that do nothing, until their input ends.
pub struct Sessions {
    children: Vec<Child>,
}

impl Sessions {
    /// Ends them, and waits for that.
    ///
    /// # Errors
    /// A sentence, when one does not end well.
    pub fn end(mut self) -> Result<(), String> {
        for child in &mut self.children {
            drop(child.stdin.take());
        }
        for child in &mut self.children {
            let status = child
                .wait()
                .map_err(|error| format!("cannot wait for a session: {error}"))?;
            if !status.success() {
                return Err(format!("a session that did nothing ended with {status}"));
            }
        }
        Ok(())
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.stdin.take());
            // Both fail, and rightly so, where it has ended already.
            drop(child.kill());
            drop(child.wait());
        }
    }
}
