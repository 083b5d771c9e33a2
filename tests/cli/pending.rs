//! Frozen sessions on the real kernel: what waits, what is kept, what a person decides, and what happens when nobody does.

use std::path::{Path, PathBuf};
use std::time::Instant;

use scopeward_tests::daemon::{Daemon, ask, listing, said};
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::take_turn;
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use serde_json::Value;

use crate::trying::{BOUND, Trying, events, ready, serve};

/// A scope that freezes whoever connects to 127.0.0.1.
fn freezing(scratch: &Scratch, freeze: &str) -> PathBuf {
    let tables = format!(
        "[network]\ndefault = \"allow\"\n[[network.rule]]\nto = [\"127.0.0.1\"]\nresponse = \"freeze\"\n\
         reason = \"not this machine\"\n[freeze]\n{freeze}"
    );
    scratch
        .write("scope.toml", scope::with(&tables))
        .expect("write the scope")
}

/// Starts a session that is frozen by its first connect, and returns what waits.
fn frozen<'a>(scratch: &'a Scratch, scope: &Path, port: u16) -> (Trying<'a>, Value) {
    let trying = Trying::start(
        scratch,
        scope,
        "trying",
        &format!("exec 3<>/dev/tcp/127.0.0.1/{port}"),
    );
    let mut waiting = Vec::new();
    let waits = wait_until(BOUND, || {
        waiting = listing(scratch, &["pending", "--json"]).unwrap_or_default();
        // What it had open is kept a moment later.
        waiting
            .first()
            .is_some_and(|one| one["evidence"].is_string() && one["event"].is_string())
    });
    assert!(waits, "nothing is pending: {waiting:?}");
    (trying, waiting.remove(0))
}

#[test]
fn a_frozen_session_waits_with_its_evidence_and_goes_on_after_a_grant() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let port = serve();
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = freezing(&scratch, "timeout = \"1h\"\nthen = \"kill\"");
    let (trying, waiting) = frozen(&scratch, &scope, port);
    assert_eq!(waiting["session"], trying.id.as_str());
    assert_eq!(waiting["act"], format!("net.connect 127.0.0.1:{port}"));
    assert_eq!(
        (&waiting["rule"], &waiting["then"]),
        (&"network.rule[0]".into(), &"kill".into())
    );
    assert_eq!(waiting["rule_reason"], "not this machine");
    let process = waiting["process"].as_str().expect("a process");
    assert!(process.starts_with("bash["), "{process}");
    let kept = std::fs::read(waiting["evidence"].as_str().expect("a path")).expect("read the evidence");
    let kept: Value = serde_json::from_slice(&kept).expect("it is JSON");
    let asked: u64 = process
        .trim_start_matches("bash[")
        .trim_end_matches(']')
        .parse()
        .expect("a process id");
    let states = kept["processes"].as_array().expect("processes");
    let asking = states
        .iter()
        .find(|one| one["pid"] == asked)
        .expect("the one that asked");
    let open = asking["descriptors"].as_array().expect("descriptors");
    assert!(
        open.iter().any(|one| one["fd"] == 2 && one["is"] == "/dev/null"),
        "{open:?}"
    );
    assert!(asking["mappings"].to_string().contains("libc"), "{asking}");
    assert!(
        kept["acts"]
            .as_array()
            .is_some_and(|acts| acts.iter().any(|act| act["id"] == waiting["event"]))
    );

    let event = waiting["event"].as_str().expect("an event");
    let output = ask(&scratch, &["grant", event, "--for", "10m", "--thaw"]).expect("ask");
    assert!(output.status.success(), "{}", said(&output));
    assert!(trying.goes("yes"), "it goes on, and through");
    assert!(
        listing(&scratch, &["pending", "--json"]).expect("ask").is_empty(),
        "nothing waits"
    );
    let thawed = events(&scratch, "session.thaw");
    assert_eq!(thawed[0]["act"]["decision"]["event"], event);
    trying.end();
    daemon.stop().expect("stop");
}

#[test]
fn nobody_decides_and_the_scope_answers_over_a_restart() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let port = serve();
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = freezing(&scratch, "timeout = \"12s\"\nthen = \"kill\"");
    let (trying, before) = frozen(&scratch, &scope, port);
    let began = Instant::now();
    daemon.kill().expect("kill the daemon");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let daemon = Daemon::start(&scratch).expect("start another daemon");
    let after = listing(&scratch, &["pending", "--json"]).expect("ask").remove(0);
    for field in ["session", "event", "act", "rule", "evidence", "reason"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    // Two readings of the clock differ by microseconds.
    let second = |one: &Value| one["until"].as_str().map(|until| until[..19].to_owned());
    assert_eq!(second(&before), second(&after), "the time to decide goes on");
    let status = trying.running.finish(BOUND).expect("it ends").status;
    let took = began.elapsed().as_secs();
    assert_eq!(status.code(), Some(137));
    assert!((8..=15).contains(&took), "killed after {took} s of 12");
    let killed = events(&scratch, "session.kill");
    assert_eq!(killed[0]["act"]["decision"]["by"], Value::Null);
    assert_eq!(killed[0]["verdict"]["applied"], "kill");
    daemon.stop().expect("stop");
}

#[test]
fn a_scope_that_thaws_lets_go_on_and_refuses_still() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let port = serve();
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = freezing(&scratch, "timeout = \"2s\"\nthen = \"thaw\"");
    let (trying, _) = frozen(&scratch, &scope, port);
    let refused = wait_until(BOUND, || trying.lines().iter().any(|line| line == "no"));
    assert!(refused, "it went on, and its act was refused all the same");
    assert!(!trying.lines().iter().any(|line| line == "yes"));
    let thawed = events(&scratch, "session.thaw");
    assert_eq!(thawed[0]["act"]["decision"]["by"], Value::Null);
    trying.end();
    daemon.stop().expect("stop");
}
