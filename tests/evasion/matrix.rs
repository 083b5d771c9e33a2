//! Every technique in one go, with one daemon: what `cargo xtask vm --table` runs in a machine, where loading the programs
//! for each technique would take hours. At the end the daemon is killed during a session.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use scopeward_tests::attack::catalogue::TECHNIQUES;
use scopeward_tests::attack::outsiders::escape::remove_cgroup;
use scopeward_tests::attack::technique::{Sort, Technique};
use scopeward_tests::daemon::{Daemon, listing};
use scopeward_tests::expectation;
use scopeward_tests::netns;
use scopeward_tests::process::wait_until;
use scopeward_tests::programs::trials;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{self, Session, cuts};
use scopeward_tests::table::{self, Row};
use scopeward_tests::trial::recorded;
use serde_json::Value;

use crate::judgement::judge;
use crate::{files, network, outsiders, services};

/// How long a sign may take.
const BOUND: Duration = Duration::from_secs(30);

fn hold(technique: &Technique) {
    match technique.sort {
        Sort::File(sort) => files::hold(technique, sort),
        Sort::Network(sort) => {
            netns::in_new_network(|| network::hold(technique.name, technique, sort)).expect("make a network");
        }
        Sort::Service(_) => services::hold(technique),
        Sort::Outsider(sort) => {
            outsiders::hold(technique, sort);
            remove_cgroup();
        }
    }
}

/// The row of what is done while no daemon is there.
const GAP: &str = "open while the daemon is killed";

/// Kills the daemon during a session: acts in the gap are answered, and the next daemon tells all of them.
fn without_a_daemon(shared: &Scratch, daemon: Daemon<'_>) {
    let trials = trials();
    let own = Scratch::new().expect("make a directory");
    let guarded = own.write("guarded/credential", "secret\n").expect("write");
    let benign = own.write("benign/notes", "benign\n").expect("write");
    let text = scope::guarding(std::slice::from_ref(&guarded), "kill");
    let scope = own.write("scope.toml", text).expect("write the scope");
    let [ready, first, done, second] = ["ready", "first", "done", "second"].map(|name| own.path(name));
    let script = format!(
        ": >{}; until test -e {}; do sleep 0.02; done\n\
         for n in $(seq {trials}); do cat {}; cat {}; done\n\
         : >{}; until test -e {}; do sleep 0.02; done",
        ready.display(),
        first.display(),
        guarded.display(),
        benign.display(),
        done.display(),
        second.display(),
    );
    let session = Session::new(&own, &scope);
    let mut running = session.start(&["sh", "-c", &script]).expect("start the session");
    assert!(
        running.has_made(&ready, BOUND).expect("wait"),
        "the command does not run"
    );
    daemon.kill().expect("kill the daemon");
    std::fs::write(&first, "").expect("give the first sign");
    assert!(
        running.has_made(&done, BOUND).expect("wait"),
        "the command does not get on"
    );
    let outside = (0..trials).filter(|_| std::fs::read(&guarded).is_ok()).count();
    let daemon = Daemon::start(shared).expect("start the next daemon");
    let path = guarded.display().to_string();
    let question = ["events", "--json", "--path", &path];
    let count = |events: &[Value]| {
        cuts(events)
            .map(|event| event["count"].as_u64().unwrap_or(1))
            .sum::<u64>()
    };
    let mut events = Vec::new();
    let told = wait_until(BOUND, || {
        events = listing(shared, &question).unwrap_or_default();
        count(&events) >= trials as u64
    });
    std::fs::write(&second, "").expect("give the second sign");
    let ended = session.end(running).expect("the session ends");
    daemon.stop().expect("stop the daemon");
    let lines = |word: &str| ended.stdout.lines().filter(|line| *line == word).count();
    let tier = expectation::tier();
    let row = Row {
        technique: GAP.to_owned(),
        tier,
        trials,
        obtained: lines("secret"),
        twin: lines("benign"),
        outside,
        answered: format!("{} of {trials} told by the next daemon", count(&events)),
        recorded: recorded(&events),
        open: String::new(),
    };
    table::add(&row).expect("write the table");
    assert!(
        told,
        "the next daemon does not tell all: {row:#?} {events:#?} {ended:?}"
    );
    assert_eq!((row.twin, row.outside), (trials, trials), "{row:#?} {ended:?}");
    judge(&row, None, &events, &ended.stderr);
}

#[test]
#[ignore = "each technique has a test of its own; this is for machines: cargo xtask vm --table"]
fn every_technique() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward, Need::Ip]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    expectation::take_from(&daemon.status().expect("ask the daemon"));
    session::share(scratch.path("daemon.toml"));
    let mut failed = Vec::new();
    for technique in TECHNIQUES {
        let begun = Instant::now();
        let held = catch_unwind(AssertUnwindSafe(|| hold(technique))).is_ok();
        println!(
            "matrix: {} {} in {} ms",
            technique.name,
            if held { "as expected" } else { "FAILED" },
            begun.elapsed().as_millis()
        );
        if !held {
            failed.push(technique.name);
        }
    }
    let killed = catch_unwind(AssertUnwindSafe(|| without_a_daemon(&scratch, daemon))).is_ok();
    if !killed {
        failed.push(GAP);
    }
    assert!(failed.is_empty(), "{failed:?}");
}
