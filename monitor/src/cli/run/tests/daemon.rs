//! A run that the daemon holds, with a daemon that is made up.

use std::{
    io::{self, Write},
    process::{Child, Command},
    sync::{Arc, Mutex},
    time::Duration,
};

use nix::unistd::Pid;
use tokio::runtime::Runtime;

use super::supervised::until;
use crate::{
    api::{
        client::ClientError,
        tests::fake::{Served, owner, serve, session},
        types::{ScopeChoice, SessionState},
    },
    cli::run::{
        holder::{HoldError, Holder as _, Remaining},
        telling::{Telling, sentence},
        through_daemon::ThroughDaemon,
    },
    record::{event::EventRecord, tests::sample},
    scope::words::{Mode, Response},
};

/// The session that the fake daemon enrols into.
const SESSION: &str = "s-00000000000000dd";

/// What was written, shared with whoever looks at it.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

struct Setup {
    runtime: Runtime,
    served: Served,
    process: Child,
    events: Written,
    messages: Written,
}

impl Drop for Setup {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let _guard = self.runtime.enter();
    }
}

impl Setup {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let served = runtime.block_on(async { serve() });
        let info = session(SESSION, owner(nix::unistd::getuid().as_raw(), "dev"));
        served.fake.sessions.lock().unwrap().push(info);
        let process = Command::new("sleep").arg("100").spawn().unwrap();
        Self {
            runtime,
            served,
            process,
            events: Written::default(),
            messages: Written::default(),
        }
    }

    fn root(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).unwrap())
    }

    fn telling(&self, all: bool) -> Arc<Mutex<Telling>> {
        let events = all.then(|| Box::new(self.events.clone()) as Box<dyn Write + Send>);
        Arc::new(Mutex::new(Telling::new(
            self.root(),
            events,
            Box::new(self.messages.clone()),
        )))
    }

    fn hold(&self, telling: &Arc<Mutex<Telling>>) -> ThroughDaemon {
        let mut holder = ThroughDaemon::new(self.served.client.clone()).unwrap();
        let scope = ScopeChoice::Named("claude-code".into());
        let enrolment = holder.enrol(self.root(), &scope, Some(Mode::Observe)).unwrap();
        assert_eq!(
            (enrolment.session.as_str(), enrolment.mode),
            (SESSION, Mode::Observe)
        );
        // The fake daemon has a file for it.
        assert!(!enrolment.built_in);
        holder.follow(Arc::clone(telling)).unwrap();
        holder
    }

    fn record(&self, n: u64, applied: Response) -> EventRecord {
        let mut event = sample::event(n);
        event.session.id = SESSION.into();
        event.session.owner.uid = nix::unistd::getuid().as_raw();
        event.process.pid = self.process.id();
        event.verdict.applied = applied;
        event.verdict.called_for = applied;
        event.verdict.rule = Some("files.rule[0]".into());
        event.verdict.reason = Some("off\nlimits".into());
        self.served.fake.record(event.clone());
        event
    }

    fn ends(&self, state: SessionState) {
        self.served
            .fake
            .sessions
            .lock()
            .unwrap()
            .last_mut()
            .unwrap()
            .status = state;
    }
}

#[test]
fn every_event_is_written_up_to_the_end() {
    let setup = Setup::new();
    let telling = setup.telling(true);
    let mut holder = setup.hold(&telling);
    let events: Vec<EventRecord> = (40..60).map(|n| setup.record(n, Response::Allow)).collect();
    setup.ends(SessionState::Ended);
    assert_eq!(holder.finish(Remaining::Events, Duration::from_secs(2)), None);
    let written: Vec<EventRecord> = setup
        .events
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(written, events);
    assert_eq!(setup.messages.text(), "");
}

#[test]
fn what_killed_the_command_is_known_without_its_events_being_written() {
    let setup = Setup::new();
    let telling = setup.telling(false);
    let mut holder = setup.hold(&telling);
    // Not what killed it.
    setup.record(70, Response::Deny);
    let cut = setup.record(71, Response::Kill);
    assert_eq!(holder.finish(Remaining::Kill, Duration::from_secs(2)), None);
    let line = sentence(telling.lock().unwrap().root_killed().unwrap());
    let expected = format!(
        "killed by files.rule[0] of scope claude-code (off\\nlimits): cargo[{}] file.open (read) /home/dev/src/project/module-1/file-71.rs; scopeward why {}",
        setup.root(),
        cut.id
    );
    assert_eq!(line, expected);
}

#[test]
fn a_freeze_is_told_at_once_and_once() {
    let setup = Setup::new();
    let telling = setup.telling(false);
    let mut holder = setup.hold(&telling);
    assert_eq!(holder.frozen(), Some(false));
    setup.record(80, Response::Freeze);
    setup.record(81, Response::Freeze);
    setup.ends(SessionState::Frozen("files.rule[0]".into()));
    until(|| setup.messages.text().contains('\n'));
    assert_eq!(holder.frozen(), Some(true));
    let text = setup.messages.text();
    assert!(text.starts_with("scopeward: frozen by files.rule[0]"), "{text}");
    assert!(text.contains(&format!("scopeward thaw {SESSION}")), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn a_session_that_a_person_killed_says_so() {
    let setup = Setup::new();
    let telling = setup.telling(false);
    let mut holder = setup.hold(&telling);
    setup.ends(SessionState::Killed("looked wrong".into()));
    assert_eq!(
        holder.finish(Remaining::Kill, Duration::from_secs(2)).as_deref(),
        Some("looked wrong")
    );
}

#[test]
fn what_goes_on_in_the_background_is_not_waited_for_long() {
    let setup = Setup::new();
    let telling = setup.telling(true);
    let mut holder = setup.hold(&telling);
    let begun = std::time::Instant::now();
    assert_eq!(holder.finish(Remaining::Events, Duration::from_millis(200)), None);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn from_inside_a_session_nothing_is_held() {
    let setup = Setup::new();
    *setup.served.fake.inside.lock().unwrap() = Some(std::process::id());
    let mut holder = ThroughDaemon::new(setup.served.client.clone()).unwrap();
    let error = holder
        .enrol(setup.root(), &ScopeChoice::Named("codex".into()), None)
        .unwrap_err();
    assert!(
        matches!(error, HoldError::Daemon(ClientError::Refused { .. })),
        "{error}"
    );
}
