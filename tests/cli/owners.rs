//! Who stands behind a session, and what the session itself is told, on the real kernel.

use std::path::Path;

use scopeward_tests::daemon::{Daemon, ask, listing, said};
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::take_turn;
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;
use serde_json::Value;

use crate::trying::{BOUND, events, kill, ready, serve};

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_session_says_where_it_comes_from_and_when_that_changes() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let repository = scratch.path("repo");
    std::fs::create_dir_all(repository.join(".git")).expect("make a repository");
    std::fs::write(repository.join(".git/HEAD"), "ref: refs/heads/main\n").expect("write");
    std::fs::write(
        repository.join(".git/config"),
        "[user]\n\temail = dev@example.org\n",
    )
    .expect("write");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = scratch.write("scope.toml", scope::with("")).expect("write");
    let session = Session::new(&scratch, &scope);
    let sign = scratch.path("sign");
    let script = format!(
        "while ! test -e {}; do sleep 0.05; done; cd /; sleep 30",
        sign.display()
    );
    let mut command = session.command(&["bash", "-c", &script]);
    command
        .current_dir(&repository)
        .env("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22")
        .env("CLAUDE_CODE_SESSION_ID", "the-agents-own");
    let running = scopeward_tests::process::Bounded::start(&mut command).expect("start");
    let mut told: Vec<Value> = Vec::new();
    let there = wait_until(BOUND, || {
        told = events(&scratch, "session.owner");
        !told.is_empty()
    });
    assert!(there, "its owner is not told");
    let origin = &told[0]["act"]["origin"];
    assert_eq!(origin["cwd"], repository.display().to_string());
    assert_eq!(origin["repository"]["branch"], "main");
    assert_eq!(origin["git"]["email"], "dev@example.org");
    assert_eq!(origin["ssh"]["client"], "192.0.2.7");
    assert_eq!(
        origin["ssh"]["from_sshd"], false,
        "nobody but the environment says so"
    );
    assert_eq!(origin["agent_session"], "the-agents-own");
    assert_eq!(told[0]["session"]["agent_session"], "the-agents-own");
    std::fs::write(&sign, "").expect("give the sign");
    let changed = wait_until(BOUND, || {
        told = events(&scratch, "session.owner");
        told.len() > 1
    });
    assert!(changed, "the change is not told");
    assert_eq!(told[1]["act"]["origin"]["cwd"], "/");
    assert_eq!(told[1]["act"]["origin"]["repository"], Value::Null);
    let listed = listing(&scratch, &["sessions", "--json"]).expect("ask");
    assert_eq!(listed[0]["origin"]["cwd"], "/");
    let id = listed[0]["id"].as_str().expect("an id");
    kill(&scratch, id);
    running.finish(BOUND).expect("it ends");
    daemon.stop().expect("stop");
    let verified = ask(&scratch, &["verify"]).expect("ask");
    assert!(verified.status.success(), "{}", said(&verified));
}

#[test]
fn the_agent_reads_why_and_nothing_more() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let port = serve();
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let tables = "[network]\ndefault = \"allow\"\n[[network.rule]]\nto = [\"127.0.0.1\"]\nresponse = \"deny\"\n\
                  reason = \"use the proxy\"";
    let scope = scratch.write("scope.toml", scope::with(tables)).expect("write");
    let program = scratch
        .scopeward::<&str>(&[])
        .get_program()
        .to_string_lossy()
        .into_owned();
    let [file, last, name] = ["file", "last", "name"].map(|name| scratch.path(name).display().to_string());
    let script = format!(
        "(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; \
         for n in 1 2 3 4 5 6 7 8 9 10; do {program} why --last >{last} 2>/dev/null && test -s $SCOPEWARD_REASONS && break; sleep 0.2; done; \
         cp $SCOPEWARD_REASONS {file}; echo $SCOPEWARD_REASONS >{name}"
    );
    let ended = Session::new(&scratch, &scope)
        .run(&["bash", "-c", &script])
        .expect("run");
    let act =
        format!("net.connect 127.0.0.1:{port} was answered with deny by network.rule[0]: use the proxy.");
    for told in [read(file.as_ref()), read(last.as_ref())] {
        assert!(told.contains(&act), "{told:?} {ended:?}");
        assert!(!told.contains("to = ["), "the rule itself is not shown: {told}");
    }
    assert!(
        ended.stderr.contains("denied by network.rule[0]"),
        "{}",
        ended.stderr
    );
    let name = read(name.as_ref());
    assert!(
        name.contains("scopeward-reasons-") && !Path::new(name.trim()).exists(),
        "it goes with the run: {name}"
    );
    let outside = ask(&scratch, &["why", "--last"]).expect("ask");
    assert!(
        said(&outside).contains("in no agent session"),
        "{}",
        said(&outside)
    );
    daemon.stop().expect("stop");
}
