//! Grants on the real kernel: what was refused goes through, for that session, that thing and that time alone.

use std::os::unix::fs::MetadataExt;

use scopeward_tests::daemon::{Daemon, ask, listing, said};
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::take_turn;
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use serde_json::Value;

use crate::trying::{BOUND, Trying, done, events, ready, serve};

#[test]
fn a_refused_connect_goes_through_for_one_session_and_one_time() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let ports = [serve(), serve()];
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = scratch.write("scope.toml", scope::reaching(&[])).expect("write");
    let act = |port| format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let asking = Trying::start(&scratch, &scope, "asking", &act(ports[0]));
    let elsewhere = Trying::start(&scratch, &scope, "elsewhere", &act(ports[0]));
    assert!(asking.goes("no") && elsewhere.goes("no"), "refused before");
    let event = asking.cut("net.connect");
    let why = done(&scratch, &["why", &event, "--json"]);
    let command = why["grant_command"]
        .as_str()
        .expect("a command to type")
        .to_owned();
    assert!(command.contains(&event), "{command}");

    let grant = done(
        &scratch,
        &["grant", &event, "--for", "6s", "--reason", "the test", "--json"],
    );
    let id = grant["id"].as_str().expect("an id").to_owned();
    assert!(asking.goes("yes"), "granted");
    assert!(elsewhere.goes("no"), "another session does not profit");
    let passed = events(&scratch, "net.connect");
    let passed = passed
        .iter()
        .find(|event| event["verdict"]["grant"] == id.as_str());
    let passed = passed.expect("a use is recorded with its grant");
    assert_eq!(passed["verdict"]["applied"], "allow");
    assert_eq!(passed["verdict"]["rule"], "network.default");
    let listed = listing(&scratch, &["grants", "--json"]).expect("ask");
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &Value::from(id.as_str())));
    assert!(listed[0]["uses"].as_u64() > Some(0), "{listed:?}");
    assert!(asking.goes("no"), "expired");
    let mut over = Vec::new();
    let told = wait_until(BOUND, || {
        over = events(&scratch, "grant.expire");
        !over.is_empty()
    });
    assert!(told, "its end is recorded");
    assert_eq!(over[0]["act"]["decision"]["grant"], id.as_str());
    assert!(over[0]["act"]["decision"]["uses"].as_u64() > Some(0), "{over:?}");

    // Another endpoint, named by hand, taken back before its time.
    let to = format!("127.0.0.1:{}", ports[1]);
    let give = [
        "grant",
        "--session",
        &asking.id,
        "--to",
        &to,
        "--for",
        "10m",
        "--json",
    ];
    let wrong = done(&scratch, &give);
    assert!(asking.goes("no"), "another port is another thing");
    let to = format!("127.0.0.1:{}", ports[0]);
    let give = [
        "grant",
        "--session",
        &asking.id,
        "--to",
        &to,
        "--for",
        "10m",
        "--json",
    ];
    let right = done(&scratch, &give);
    assert!(asking.goes("yes"), "granted by hand");
    for grant in [&wrong, &right] {
        done(
            &scratch,
            &["revoke", grant["id"].as_str().expect("an id"), "--json"],
        );
    }
    assert!(asking.goes("no"), "taken back");
    let given = events(&scratch, "grant.give");
    assert_eq!((given.len(), events(&scratch, "grant.revoke").len()), (3, 2));
    assert_eq!(given[0]["act"]["decision"]["reason"], "the test");
    let stats = done(&scratch, &["grants", "--stats", "--json"]);
    assert_eq!(
        (&stats["given"], &stats["expired"], &stats["revoked"]),
        (&3.into(), &1.into(), &2.into())
    );
    asking.end();
    elsewhere.end();
    daemon.stop().expect("stop");
}

#[test]
fn a_guarded_file_is_had_by_its_inode_and_for_reading_alone() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let text = scope::guarding(std::slice::from_ref(&guarded), "deny");
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let at = guarded.display();
    let reading = Trying::start(&scratch, &scope, "reading", &format!("read line <{at}"));
    let writing = Trying::start(&scratch, &scope, "writing", &format!("echo more >>{at}"));
    assert!(reading.goes("no") && writing.goes("no"), "refused before");
    let event = reading.cut("file.open");
    let grant = done(
        &scratch,
        &["grant", &event, "--for", "10m", "--access", "read", "--json"],
    );
    let inode = guarded.metadata().expect("look at it").ino();
    assert_eq!(grant["object"]["inode"], inode);
    assert!(reading.goes("yes"), "granted");
    assert!(writing.goes("no"), "another session does not profit");
    let by_hand = ["grant", "--session", &writing.id, "--file"];
    let path = at.to_string();
    let give = [&by_hand[..], &[&path, "--for", "10m", "--json"]].concat();
    done(&scratch, &give);
    assert!(writing.goes("no"), "a grant for reading is none for writing");
    let give = [
        &by_hand[..],
        &[&path, "--access", "write", "--for", "10m", "--json"],
    ]
    .concat();
    done(&scratch, &give);
    assert!(writing.goes("yes"), "granted for writing");
    // The name leads to another file from now on: what was approved was the file.
    let fresh = scratch.write("guarded/fresh", "other secret\n").expect("write");
    std::fs::rename(&fresh, &guarded).expect("replace");
    assert!(reading.goes("no"), "what replaced it was not approved");
    let again = ask(&scratch, &["grant", &event, "--for", "10m"]).expect("ask");
    let words = said(&again);
    assert!(!again.status.success() && words.contains("is not at"), "{words}");
    reading.end();
    writing.end();
    daemon.stop().expect("stop");
}

#[test]
fn a_grant_ends_in_the_kernel_without_the_daemon_and_outlives_its_restart() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let port = serve();
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = scratch.write("scope.toml", scope::reaching(&[])).expect("write");
    let act = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let asking = Trying::start(&scratch, &scope, "asking", &act);
    assert!(asking.goes("no"), "refused before");
    let event = asking.cut("net.connect");
    done(&scratch, &["grant", &event, "--for", "8s", "--json"]);
    assert!(asking.goes("yes"), "granted");
    daemon.kill().expect("kill the daemon");
    assert!(asking.goes("yes"), "it holds without the daemon");
    assert!(asking.goes("no"), "and ends without it");
    let daemon = Daemon::start(&scratch).expect("start another daemon");
    let mut over = Vec::new();
    let told = wait_until(BOUND, || {
        over = events(&scratch, "grant.expire");
        !over.is_empty()
    });
    assert!(told, "its end is recorded");
    assert_eq!(over.len(), 1, "the next daemon tells of its end: {over:?}");
    let long = done(&scratch, &["grant", &event, "--for", "10m", "--json"]);
    assert!(asking.goes("yes"), "granted again");
    daemon.stop().expect("stop");
    let daemon = Daemon::start(&scratch).expect("start a third daemon");
    let listed = listing(&scratch, &["grants", "--json"]).expect("ask");
    assert_eq!(
        listed.first().map(|grant| &grant["id"]),
        Some(&long["id"]),
        "{listed:?}"
    );
    assert!(asking.goes("yes"), "it holds over the restart");
    asking.end();
    daemon.stop().expect("stop");
}
