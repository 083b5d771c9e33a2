//! A session that tries the same act again and again, for tests of what people decide.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scopeward_tests::daemon::{ask, listing, said};
use scopeward_tests::process::{Bounded, wait_until};
use scopeward_tests::requirement::{Need, require};
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;
use serde_json::Value;

/// How long anything may take.
pub const BOUND: Duration = Duration::from_secs(30);

pub fn ready() -> bool {
    require(&[Need::Root, Need::Bpf, Need::Scopeward])
}

/// A server that takes every connection, for as long as the test runs; its port.
pub fn serve() -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").expect("listen");
    let port = server.local_addr().expect("an address").port();
    std::thread::spawn(move || server.incoming().for_each(drop));
    port
}

/// A session that tries the same act again and again, and writes down how it went.
pub struct Trying<'a> {
    scratch: &'a Scratch,
    pub running: Bounded,
    out: PathBuf,
    pub id: String,
}

impl<'a> Trying<'a> {
    /// `act` is tried in a process of its own each time.
    pub fn start(scratch: &'a Scratch, scope: &Path, name: &str, act: &str) -> Self {
        let known: Vec<Value> = listing(scratch, &["sessions", "--json"]).expect("ask");
        let out = scratch.path(name);
        let at = out.display();
        let script = format!(
            "while :; do if bash -c {act:?} >/dev/null 2>&1; then echo yes >>{at}; else echo no >>{at}; fi; sleep 0.05; done"
        );
        let events = scratch.path(&format!("{name}.events"));
        let running = Session::new(scratch, scope)
            .events_to(&events)
            .start(&["bash", "-c", &script])
            .expect("start");
        let mut id = None;
        let listed = wait_until(BOUND, || {
            let now = listing(scratch, &["sessions", "--json"]).unwrap_or_default();
            id = now
                .iter()
                .find(|one| known.iter().all(|before| before["id"] != one["id"]))
                .and_then(|one| one["id"].as_str().map(str::to_owned));
            id.is_some()
        });
        assert!(listed, "the session is not listed");
        Self {
            scratch,
            running,
            out,
            id: id.expect("an id"),
        }
    }

    pub fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.out).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until two tries that began after this call went as `word` says.
    pub fn goes(&self, word: &str) -> bool {
        let before = self.lines().len();
        wait_until(BOUND, || {
            let lines = self.lines();
            lines.len() >= before + 3 && lines[lines.len() - 2..].iter().all(|line| line == word)
        })
    }

    /// The id of a cut of this session that was recorded.
    pub fn cut(&self, kind: &str) -> String {
        let mut found = None;
        let arguments = [
            "events",
            "--json",
            "--session",
            &self.id,
            "--kind",
            kind,
            "--limit",
            "0",
        ];
        let there = wait_until(BOUND, || {
            let events = listing(self.scratch, &arguments).unwrap_or_default();
            found = events
                .iter()
                .find(|event| event["verdict"]["called_for"] != "allow")
                .and_then(|event| event["id"].as_str().map(str::to_owned));
            found.is_some()
        });
        assert!(there, "no cut of {kind} is recorded");
        found.expect("an id")
    }

    pub fn end(self) {
        kill(self.scratch, &self.id);
        self.running.finish(BOUND).expect("it ends");
    }
}

/// Ends a session by hand.
pub fn kill(scratch: &Scratch, session: &str) {
    let output = ask(scratch, &["kill", session, "--reason", "the test ends"]).expect("ask");
    assert!(output.status.success(), "{}", said(&output));
}

/// The session that is listed last, where there is one.
pub fn latest_session(scratch: &Scratch) -> Option<Value> {
    listing(scratch, &["sessions", "--json"]).ok()?.pop()
}

/// A time in a record, in seconds since 1970.
pub fn seconds(value: &Value) -> f64 {
    let time: jiff::Timestamp = value.as_str().expect("a time").parse().expect("a time");
    time.as_second() as f64 + f64::from(time.subsec_nanosecond()) / 1e9
}

pub fn done(scratch: &Scratch, arguments: &[&str]) -> Value {
    let output = ask(scratch, arguments).expect("ask");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

pub fn events(scratch: &Scratch, kind: &str) -> Vec<Value> {
    listing(scratch, &["events", "--json", "--kind", kind, "--limit", "0"]).expect("ask")
}
