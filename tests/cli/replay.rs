//! `scopeward replay`: the pipeline from a recorded file, with no kernel and no rights.

use scopeward_tests::daemon::{ask, said};
use scopeward_tests::requirement::{Need, require};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use serde_json::{Value, json};

/// A recorded open of `path`, the `number`th.
fn recorded(number: usize, path: &str) -> Value {
    json!({
        "schema": "scopeward.event/1", "id": format!("01JD0000000000000000000{number:03}"),
        "time": format!("2026-11-22T06:00:{number:02}Z"),
        "host": {"name": "test", "boot_id": "b", "machine_id": null},
        "session": {"id": "s-0000000000000001", "agent": "recorded", "root_pid": 100, "agent_session": null,
                    "owner": {"uid": 1000, "name": "dev", "login_session": null, "tty": null}},
        "process": {"pid": 101, "tid": 101, "ppid": 100, "started": null, "exe": "/usr/bin/cat", "script": null,
                    "argv": ["cat", path], "cwd": "/", "uid": 1000, "lineage": ["sh", "cat"]},
        "act": {"kind": "file.open", "path": path, "access": ["read"], "dev": "8:1", "inode": 1000 + number},
        "verdict": {"called_for": "allow", "applied": "allow", "when": "before_use", "tier": "tracepoint",
                    "scope": "recorded", "rule": null, "reason": null, "grant": null},
        "weight": 0, "generation": 1,
    })
}

#[test]
fn a_malformed_line_is_named_with_its_number() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let scope = scratch.write(
        "scope.toml",
        scope::guarding(&["/home/dev/.netrc".into()], "kill"),
    );
    let scope = scope.expect("write the scope").display().to_string();
    let lines = format!(
        "{}\n{{\"schema\": broken\n{}\n",
        recorded(1, "/tmp/x"),
        recorded(2, "/home/dev/.netrc")
    );
    let file = scratch
        .write("recorded", lines)
        .expect("write")
        .display()
        .to_string();

    let output = ask(&scratch, &["replay", &file, "--scope", &scope]).expect("ask");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains('2'),
        "line 2 is not named: {}",
        said(&output)
    );

    let output = ask(
        &scratch,
        &["replay", &file, "--scope", &scope, "--keep-going", "--json"],
    )
    .expect("ask");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("/home/dev/.netrc"),
        "the rest did not go on: {}",
        said(&output)
    );
    assert!(
        String::from_utf8_lossy(&output.stderr).contains('2'),
        "line 2 is not named: {}",
        said(&output)
    );
}

#[test]
fn what_a_scope_would_have_done_is_shown() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let scope = scratch.write(
        "scope.toml",
        scope::guarding(&["/home/dev/.netrc".into()], "kill"),
    );
    let scope = scope.expect("write the scope").display().to_string();
    let lines = format!("{}\n{}\n", recorded(1, "/tmp/x"), recorded(2, "/home/dev/.netrc"));
    let file = scratch
        .write("recorded", lines)
        .expect("write")
        .display()
        .to_string();
    let output = ask(&scratch, &["replay", &file, "--scope", &scope, "--json"]).expect("ask");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let answers: Vec<(&str, &str)> = events
        .iter()
        .filter_map(|event| {
            Some((
                event["act"]["path"].as_str()?,
                event["verdict"]["called_for"].as_str()?,
            ))
        })
        .collect();
    assert_eq!(
        answers,
        [("/tmp/x", "allow"), ("/home/dev/.netrc", "kill")],
        "{}",
        said(&output)
    );
}
