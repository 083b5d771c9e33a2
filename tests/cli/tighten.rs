//! The step of the ladder between a flag and a freeze: what the session used before goes on, what is new does not.

use std::path::PathBuf;

use scopeward_tests::daemon::{Daemon, ask, listing, said};
use scopeward_tests::process::{Bounded, wait_until};
use scopeward_tests::requirement::take_turn;
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Session, cuts};
use serde_json::Value;

use crate::trying::{BOUND, events, kill, latest_session, ready, serve};

/// Three flagged reads use the budget up.
fn tightening(scratch: &Scratch, within: &str) -> PathBuf {
    let guarded = scratch.path("guarded");
    let tables = format!(
        "[network]\ndefault = \"allow\"\n[[files.rule]]\npaths = [\"{}/*\"]\nresponse = \"flag\"\nweight = 1\n\
         [[budget]]\nweight = 3\nwithin = \"{within}\"\nresponse = \"tighten\"\n",
        guarded.display()
    );
    scratch
        .write("scope.toml", scope::with(&tables))
        .expect("write the scope")
}

/// A session that tries things, uses its budget up, and tries them again whenever a file says so.
struct Tried<'a> {
    scratch: &'a Scratch,
    running: Bounded,
    log: PathBuf,
    id: String,
    /// The port that it connects to only when it is told to.
    far: u16,
}

impl<'a> Tried<'a> {
    /// Starts it, with a budget of this length, and waits until it is tightened.
    fn start(scratch: &'a Scratch, within: &str) -> Self {
        let scope = tightening(scratch, within);
        let (near, far) = (serve(), serve());
        for name in [
            "guarded/1",
            "guarded/2",
            "guarded/3",
            "benign/known",
            "benign/fresh",
        ] {
            scratch.write(name, "text\n").expect("write");
        }
        let log = scratch.path("log");
        let script = format!(
            "try() {{ if ( eval \"$2\" ) >/dev/null 2>&1; then echo \"$1 yes\" >>{log}; else echo \"$1 no\" >>{log}; fi; }}
             old() {{ try known 'read x <{root}/benign/known'; try near ': >/dev/tcp/127.0.0.1/{near}'; sleep 0.01; }}
             new() {{ try far ': >/dev/tcp/127.0.0.1/{far}'; try program /usr/bin/id; try fresh 'read x <{root}/benign/fresh'; }}
             old; for f in 1 2 3; do read x <{root}/guarded/$f; done
             for round in 1 2 3; do
               while [ ! -e {root}/go$round ]; do sleep 0.05; done
               old; new; echo \"done $round\" >>{log}
             done; sleep 60",
            log = log.display(),
            root = scratch.path("").display().to_string().trim_end_matches('/'),
        );
        let running = Session::new(scratch, &scope)
            .start(&["bash", "-c", &script])
            .expect("start");
        let mut id = None;
        let listed = wait_until(BOUND, || {
            let now = listing(scratch, &["sessions", "--json"]).unwrap_or_default();
            id = now.first().and_then(|one| one["id"].as_str().map(str::to_owned));
            id.is_some()
        });
        assert!(listed, "the session is not listed");
        let tried = Self {
            scratch,
            running,
            log,
            id: id.expect("an id"),
            far,
        };
        let tightened = wait_until(BOUND, || tried.is_tightened());
        assert!(tightened, "{:#}", tried.session());
        tried
    }

    fn is_tightened(&self) -> bool {
        self.session()["tightened"].is_string()
    }

    fn session(&self) -> Value {
        latest_session(self.scratch).unwrap_or_default()
    }

    /// What is tried in a round, and how it went.
    fn round(&self, number: u32) -> Vec<String> {
        let lines = || -> Vec<String> {
            let text = std::fs::read_to_string(&self.log).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        };
        let before = lines().len();
        self.scratch.write(&format!("go{number}"), "").expect("write");
        let done = format!("done {number}");
        assert!(wait_until(BOUND, || lines().contains(&done)), "{:?}", lines());
        let mut tried = lines().split_off(before);
        tried.pop();
        tried
    }

    fn end(self) {
        kill(self.scratch, &self.id);
        self.running.finish(BOUND).expect("it ends");
    }
}

const GOES_ON: [&str; 2] = ["known yes", "near yes"];

#[test]
fn a_tightened_session_keeps_what_it_used_and_gets_nothing_new_but_what_is_granted() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let tried = Tried::start(&scratch, "1h");
    let refused = [GOES_ON[0], GOES_ON[1], "far no", "program no", "fresh no"];
    assert_eq!(tried.round(1), refused);
    assert_eq!(tried.session()["status"]["state"], "running");
    let steps = listing(
        &scratch,
        &["events", "--json", "--verdict", "deny", "--limit", "0"],
    )
    .expect("ask");
    let step = steps
        .iter()
        .find(|event| event["verdict"]["rule"] == "budget[0]")
        .expect("the step is told");
    let why = step["verdict"]["reason"].as_str().expect("a reason");
    for part in [
        "3 of 3",
        "guarded/1",
        "guarded/2",
        "guarded/3",
        "it has only what it has used before",
    ] {
        assert!(why.contains(part), "{part} is not in {why}");
    }
    let connects = events(&scratch, "net.connect");
    let cut = cuts(&connects).next().expect("a cut of what is new");
    assert_eq!(cut["verdict"]["rule"], "tightened", "{cut:#}");
    assert_eq!(cut["act"]["port"], tried.far, "{cut:#}");
    let id = cut["id"].as_str().expect("an id");
    let explained = said(&ask(&scratch, &["why", id]).expect("ask"));
    assert!(
        explained.contains("only what the session has used before"),
        "{explained}"
    );
    assert!(explained.contains("scopeward grant"), "{explained}");

    // A grant lets one new thing through, a thaw everything.
    let given = ask(&scratch, &["grant", id, "--for", "10m", "--reason", "it may"]).expect("ask");
    assert!(given.status.success(), "{}", said(&given));
    assert_eq!(
        tried.round(2),
        [GOES_ON[0], GOES_ON[1], "far yes", "program no", "fresh no"]
    );
    let thawed = ask(&scratch, &["thaw", &tried.id, "--reason", "looked at"]).expect("ask");
    assert!(thawed.status.success(), "{}", said(&thawed));
    assert!(!tried.is_tightened());
    assert_eq!(
        tried.round(3),
        [GOES_ON[0], GOES_ON[1], "far yes", "program yes", "fresh yes"]
    );
    tried.end();
    daemon.stop().expect("stop");
}

#[test]
fn what_a_budget_took_comes_back_when_its_cuts_are_too_old_and_not_with_a_restart() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let tried = Tried::start(&scratch, "15s");
    daemon.stop().expect("stop");
    let daemon = Daemon::start(&scratch).expect("start the daemon again");
    assert!(tried.is_tightened(), "{:#}", tried.session());
    assert!(
        wait_until(BOUND, || !tried.is_tightened()),
        "{:#}",
        tried.session()
    );
    assert_eq!(
        tried.round(1),
        [GOES_ON[0], GOES_ON[1], "far yes", "program yes", "fresh yes"]
    );
    tried.end();
    daemon.stop().expect("stop");
}
