//! Cuts that add up: a used-up budget is answered, the arithmetic is shown, and a restart forgets and doubles nothing.

use std::time::Duration;

use scopeward_tests::daemon::{Daemon, ask, listing, said};
use scopeward_tests::process::{Bounded, wait_until};
use scopeward_tests::requirement::take_turn;
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;
use serde_json::Value;

use crate::trying::{BOUND, kill, latest_session, ready};

/// A scope that flags reads below `guarded`, weight 1, and freezes at `weight`.
fn budgeted(scratch: &Scratch, weight: u32) -> std::path::PathBuf {
    let guarded = scratch.path("guarded").display().to_string();
    let tables = format!(
        "[[files.rule]]\npaths = [\"{guarded}/**\"]\nresponse = \"flag\"\nweight = 1\n\
         [[budget]]\nweight = {weight}\nwithin = \"5m\"\nresponse = \"freeze\"\n"
    );
    for n in 0..20 {
        scratch.write(&format!("guarded/f{n}"), "x").expect("write");
    }
    scratch
        .write("scope.toml", scope::with(&tables))
        .expect("write the scope")
}

/// A script that reads files `from..to`, each after a moment, and then waits for ever.
fn reader(scratch: &Scratch, from: u32, to: u32) -> String {
    let guarded = scratch.path("guarded").display().to_string();
    let done = scratch.path("done").display().to_string();
    format!(
        "n={from}; while test $n -lt {to}; do read x <{guarded}/f$n; echo $n >>{done}; sleep 0.05; n=$((n+1)); done; \
         while :; do sleep 0.2; done"
    )
}

fn is_frozen(scratch: &Scratch) -> bool {
    latest_session(scratch).is_some_and(|session| session["status"]["state"] == "frozen")
}

fn cuts(scratch: &Scratch) -> Value {
    listing(scratch, &["cuts", "--json"])
        .expect("ask")
        .pop()
        .unwrap_or_default()
}

fn end(scratch: &Scratch, running: Bounded, session: &Session<'_>) {
    let latest = latest_session(scratch).expect("a session");
    kill(scratch, latest["id"].as_str().expect("an id"));
    session.end(running).expect("it ends");
}

#[test]
fn a_used_up_budget_freezes_and_says_which_cuts_did_it() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = budgeted(&scratch, 10);
    let session = Session::new(&scratch, &scope);
    let running = session
        .start(&["sh", "-c", &reader(&scratch, 0, 20)])
        .expect("start");
    assert!(wait_until(BOUND, || is_frozen(&scratch)), "it is not frozen");
    let tally = cuts(&scratch);
    assert_eq!(
        (&tally["weight"], &tally["sum"]),
        (&10.into(), &10.0.into()),
        "{tally:#}"
    );
    assert_eq!(tally["budgets"][0]["response"], "freeze", "{tally:#}");
    let events = listing(&scratch, &["events", "--json", "--verdict", "freeze"]).expect("ask");
    let [answer] = events.as_slice() else {
        panic!("one answer: {events:#?}");
    };
    let verdict = &answer["verdict"];
    assert_eq!(verdict["rule"], "budget[0]", "{answer:#}");
    assert_eq!(
        verdict["when"], "before_use",
        "stopped by the kernel's brake: {answer:#}"
    );
    let reason = verdict["reason"].as_str().unwrap_or_default();
    assert!(
        reason.contains("10 of 10") && reason.contains("guarded/f"),
        "{reason}"
    );
    let why = ask(&scratch, &["why", answer["id"].as_str().expect("an id")]).expect("ask");
    assert!(said(&why).contains("[[budget]]"), "{}", said(&why));
    end(&scratch, running, &session);
    daemon.stop().expect("stop");
}

/// One process reads fifty files as fast as it can: it is stopped in the tenth open, by the kernel, and never has its
/// result.
#[test]
fn a_burst_is_stopped_by_the_tenth() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = budgeted(&scratch, 10);
    for n in 20..50 {
        scratch.write(&format!("guarded/f{n}"), "x").expect("write");
    }
    let (guarded, done) = (scratch.path("guarded"), scratch.path("done"));
    let script = format!(
        "n=0; while test $n -lt 50; do read x <{0}/f$n; echo $n >>{1}; n=$((n+1)); done; sleep 60",
        guarded.display(),
        done.display()
    );
    let session = Session::new(&scratch, &scope);
    let running = session.start(&["sh", "-c", &script]).expect("start");
    assert!(wait_until(BOUND, || is_frozen(&scratch)), "it is not frozen");
    std::thread::sleep(Duration::from_millis(500));
    let read = std::fs::read_to_string(&done).unwrap_or_default().lines().count();
    assert_eq!(read, 9, "files of fifty that were read before it was stopped");
    let events = listing(&scratch, &["events", "--json", "--verdict", "freeze"]).expect("ask");
    let [answer] = events.as_slice() else {
        panic!("one answer: {events:#?}");
    };
    assert_eq!(answer["verdict"]["rule"], "budget[0]", "{answer:#}");
    assert_eq!(answer["verdict"]["when"], "before_use", "{answer:#}");
    end(&scratch, running, &session);
    daemon.stop().expect("stop");
}

#[test]
fn a_restart_forgets_nothing_and_counts_nothing_twice() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = budgeted(&scratch, 10);
    let session = Session::new(&scratch, &scope);
    let running = session
        .start(&["sh", "-c", &reader(&scratch, 0, 6)])
        .expect("start");
    assert!(
        wait_until(BOUND, || cuts(&scratch)["weight"] == 6),
        "{:#}",
        cuts(&scratch)
    );
    daemon.stop().expect("stop");
    let daemon = Daemon::start(&scratch).expect("start the daemon again");
    assert!(
        wait_until(BOUND, || cuts(&scratch)["weight"] == 6),
        "{:#}",
        cuts(&scratch)
    );
    std::thread::sleep(Duration::from_millis(500));
    let tally = cuts(&scratch);
    assert_eq!(
        (&tally["weight"], &tally["cuts"]),
        (&6.into(), &6.into()),
        "{tally:#}"
    );
    assert!(!is_frozen(&scratch));
    end(&scratch, running, &session);
    daemon.stop().expect("stop");
}
