//! Child processes with a bound on their time, ended by process id.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::patience::patient;

/// A running child whose output is gathered; killed when the value is dropped.
pub struct Bounded {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

fn gather(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        match from.read_to_end(&mut bytes) {
            Ok(_) => bytes,
            Err(error) => format!("<{error}>").into_bytes(),
        }
    })
}

impl Bounded {
    /// Starts `command` with its output gathered and, unless it was set otherwise, nothing on its input.
    ///
    /// # Errors
    /// Those of starting a process.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().map(gather);
        let stderr = child.stderr.take().map(gather);
        Ok(Self {
            child,
            stdout,
            stderr,
        })
    }

    /// The child's process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(0))
    }

    /// Its standard input, where that was made a pipe; once.
    pub fn take_stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// Sends `signal`.
    ///
    /// # Errors
    /// Those of `kill`.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill(self.pid(), signal)?)
    }

    /// Waits until the file `path` is there, for at most `bound` (times the machine's patience), and no longer than it runs.
    ///
    /// # Errors
    /// Those of `waitpid`.
    pub fn has_made(&mut self, path: &Path, bound: Duration) -> io::Result<bool> {
        let (begun, bound) = (Instant::now(), patient(bound));
        while !path.exists() {
            if begun.elapsed() > bound || !self.is_running()? {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(true)
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// Those of `waitpid`.
    pub fn is_running(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits for it for at most `bound` (times the machine's patience), then kills it.
    ///
    /// # Errors
    /// `TimedOut` with what it had said; those of `waitpid`.
    pub fn finish(mut self, bound: Duration) -> io::Result<Output> {
        let status = self.wait(bound)?;
        let timed_out = status.is_none();
        if timed_out {
            self.child.kill()?;
        }
        let ended = self.child.wait()?;
        let stdout = self
            .stdout
            .take()
            .map(JoinHandle::join)
            .and_then(Result::ok)
            .unwrap_or_default();
        let stderr = self
            .stderr
            .take()
            .map(JoinHandle::join)
            .and_then(Result::ok)
            .unwrap_or_default();
        if timed_out {
            let said = format!(
                "still running after {bound:?}; stdout: {}; stderr: {}",
                String::from_utf8_lossy(&stdout),
                String::from_utf8_lossy(&stderr)
            );
            return Err(io::Error::new(io::ErrorKind::TimedOut, said));
        }
        Ok(Output {
            status: ended,
            stdout,
            stderr,
        })
    }

    /// Waits for it for at most `bound` (times the machine's patience); `None` where it still runs.
    ///
    /// # Errors
    /// Those of `waitpid`.
    pub fn wait(&mut self, bound: Duration) -> io::Result<Option<ExitStatus>> {
        let (begun, bound) = (Instant::now(), patient(bound));
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if begun.elapsed() > bound {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait()
            && let Err(error) = self.child.kill().and_then(|()| self.child.wait())
        {
            eprintln!("failed to end process {}: {error}", self.child.id());
        }
    }
}

/// Asks `condition` every 10 ms, for at most `bound` (times the machine's patience), until it says yes.
#[must_use]
pub fn wait_until(bound: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let (begun, bound) = (Instant::now(), patient(bound));
    loop {
        if condition() {
            return true;
        }
        if begun.elapsed() > bound {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
