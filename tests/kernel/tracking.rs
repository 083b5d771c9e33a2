//! A session is its root and everything that descends from it, from each one's first instruction to its last, and nothing else.

use std::path::PathBuf;
use std::time::Duration;

use scopeward_tests::daemon::{Daemon, listing};
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session};
use serde_json::Value;

const BOUND: Duration = Duration::from_secs(30);

fn guarded_scope(scratch: &Scratch) -> (PathBuf, PathBuf) {
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let text = scope::guarding(std::slice::from_ref(&guarded), "kill");
    (
        scratch.write("scope.toml", text).expect("write the scope"),
        guarded,
    )
}

fn run_script(script: &str) -> Option<(Scratch, Ended)> {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return None;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let (scope, guarded) = guarded_scope(&scratch);
    let script = script.replace("FILE", &guarded.display().to_string());
    let ended = Session::new(&scratch, &scope)
        .run(&["sh", "-c", &script])
        .expect("run");
    Some((scratch, ended))
}

#[test]
fn a_pipeline_is_followed() {
    let Some((_scratch, ended)) = run_script("cat FILE | tr a-z A-Z | cat; echo done") else {
        return;
    };
    assert_eq!(ended.stdout, "done\n", "{ended:?}");
}

#[test]
fn a_deep_tree_is_followed() {
    let nested = "deeper() { if [ $1 -gt 0 ]; then (deeper $(($1 - 1)); true) ; else cat FILE; echo inner $?; fi; }\n\
                  deeper 12; echo outer";
    let Some((_scratch, ended)) = run_script(nested) else {
        return;
    };
    assert_eq!(ended.stdout, "inner 137\nouter\n", "{ended:?}");
}

#[test]
fn a_process_in_the_background_is_followed_after_its_parent_has_gone() {
    let script = "(sleep 0.3; cat FILE; echo \"late $?\") & exec true";
    let Some((_scratch, ended)) = run_script(script) else {
        return;
    };
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("secret"), "{ended:?}");
}

#[test]
fn setsid_and_nohup_do_not_leave_the_session() {
    let script = "setsid --wait sh -c 'nohup cat FILE; echo \"ended $?\"' 2>/dev/null; echo done";
    let Some((_scratch, ended)) = run_script(script) else {
        return;
    };
    assert!(!ended.stdout.contains("secret"), "{ended:?}");
    assert!(ended.stdout.ends_with("done\n"), "{ended:?}");
}

#[test]
fn the_lineage_names_the_programs_from_the_root() {
    let Some((_scratch, ended)) = run_script("sh -c 'cat FILE; true'; true") else {
        return;
    };
    let cuts = ended.cuts_of("file.open");
    let cut = cuts.first().expect("a cut");
    let lineage: Vec<&str> = cut["process"]["lineage"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(lineage.len(), 3, "{cut:#}");
    assert_eq!(lineage.last(), Some(&"cat"), "{cut:#}");
    assert_eq!(
        cut["process"]["exe"].as_str().map(|exe| exe.ends_with("/cat")),
        Some(true),
        "{cut:#}"
    );
    assert_eq!(cut["process"]["argv"][0], "cat");
}

#[test]
fn a_session_ends_with_its_last_process() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let (scope, _) = guarded_scope(&scratch);
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let running = |scratch: &Scratch| {
        let sessions = listing(scratch, &["sessions", "--json"]).unwrap_or_default();
        sessions
            .iter()
            .filter(|session| session.to_string().contains("\"running\""))
            .count()
    };
    let session = Session::new(&scratch, &scope);
    let command = session
        .start(&["sh", "-c", "sleep 1 & sleep 0.5"])
        .expect("start");
    assert!(
        wait_until(BOUND, || running(&scratch) == 1),
        "the session is not listed"
    );
    session.end(command).expect("end");
    assert!(
        wait_until(BOUND, || running(&scratch) == 0),
        "the session does not end"
    );
    daemon.stop().expect("stop");
}
