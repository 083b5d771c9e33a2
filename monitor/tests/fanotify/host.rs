//! A process of its own that runs the tier: so that it can be stopped and killed whole.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scopeward::observe::fanotify::{Fanotify, Guarded};

use crate::session::{Seen, settings, within};

const GUARD: &str = "SCOPEWARD_TEST_GUARD";
const MARK: &str = "host: ";

pub struct Host {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Host {
    /// Starts a host that guards one file, without members.
    pub fn start(guard: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "host::host",
                "--exact",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(GUARD, guard)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut host = Self { child, out };
        assert!(host.state().starts_with("Active"));
        host
    }

    /// The state and counters it tells.
    pub fn state(&mut self) -> String {
        self.child.stdin.as_mut().unwrap().write_all(b"?\n").unwrap();
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "the host has ended");
            if let Some((_, state)) = line.split_once(MARK) {
                return state.trim().to_owned();
            }
        }
    }

    /// Stops it, and waits until each of its threads has stopped.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        let tasks = format!("/proc/{}/task", self.child.id());
        let stopped = |task: &Path| {
            std::fs::read_to_string(task.join("stat"))
                .unwrap()
                .contains(") T ")
        };
        let all = || {
            std::fs::read_dir(&tasks)
                .unwrap()
                .all(|task| stopped(&task.unwrap().path()))
                .then_some(())
        };
        within(Duration::from_secs(5), all).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
#[ignore = "the body of the process that other tests start"]
fn host() {
    let Some(guard) = std::env::var_os(GUARD).map(PathBuf::from) else {
        return;
    };
    let seen = Arc::new(Seen::default());
    let tier = Fanotify::start(settings(), seen.clone(), seen).unwrap();
    tier.set(&Guarded {
        exact: vec![guard],
        ..Guarded::default()
    })
    .unwrap();
    for _ in std::io::stdin().lines() {
        println!("{MARK}{:?} {:?}", tier.state(), tier.counters());
    }
}
