//! `scopeward run` is not felt by a command that keeps to its scope.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use scopeward_tests::process::Bounded;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

const BOUND: Duration = Duration::from_secs(60);

/// A scope that allows everything.
fn open_scope(scratch: &Scratch) -> std::path::PathBuf {
    scratch
        .write("scope.toml", scope::with("[network]\ndefault = \"allow\""))
        .expect("write the scope")
}

#[test]
fn the_status_of_the_command_is_the_status_of_run() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = open_scope(&scratch);
    for (script, status) in [
        ("exit 0", 0),
        ("exit 42", 42),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
    ] {
        let ended = Session::new(&scratch, &scope)
            .run(&["sh", "-c", script])
            .expect("run");
        assert_eq!(ended.status.code(), Some(status), "{script}: {ended:?}");
    }
}

#[test]
fn standard_input_and_output_pass_through() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = open_scope(&scratch);
    let session = Session::new(&scratch, &scope);
    let mut command = session.command(&["sh", "-c", "cat; echo complaint >&2"]);
    let mut running = Bounded::start(command.stdin(Stdio::piped())).expect("start");
    let mut stdin = running.take_stdin().expect("a pipe");
    stdin.write_all(b"first\nsecond\n").expect("write to the command");
    drop(stdin);
    let ended = session.end(running).expect("end");
    assert_eq!(ended.stdout, "first\nsecond\n");
    assert!(ended.stderr.contains("complaint\n"), "{ended:?}");
    assert!(ended.status.success());
}

#[test]
fn a_signal_to_run_reaches_the_command() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = open_scope(&scratch);
    for (signal, word) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGINT, "INT"),
        (Signal::SIGHUP, "HUP"),
    ] {
        let ready = scratch.path(&format!("ready-{word}"));
        let script = format!(
            "trap 'exit 7' {word}; : >{}; while :; do sleep 0.05; done",
            ready.display()
        );
        let session = Session::new(&scratch, &scope);
        let mut running = session.start(&["sh", "-c", &script]).expect("start");
        assert!(
            running.has_made(&ready, BOUND).expect("wait"),
            "the command does not run"
        );
        running.signal(signal).expect("send the signal");
        let ended = session.end(running).expect("end");
        assert_eq!(ended.status.code(), Some(7), "{word}: {ended:?}");
    }
}

#[test]
fn a_command_on_a_terminal_has_that_terminal() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward, Need::Script]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = open_scope(&scratch);
    let told = scratch.path("told");
    // Only the terminal's foreground process group may read from it: `read` would be stopped in any other.
    let inner = format!(
        "test -t 0 && test -t 1 && read line && echo \"got $line\" >{}",
        told.display()
    );
    let command = Session::new(&scratch, &scope).command(&["sh", "-c", &inner]);
    let line: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''")))
        .collect();
    let mut script = Command::new("script");
    script
        .args(["-qec", &line.join(" "), "/dev/null"])
        .stdin(Stdio::piped());
    script.env("SCOPEWARD_CONFIG", scratch.path("daemon.toml"));
    let mut running = Bounded::start(&mut script).expect("start");
    let mut keys = running.take_stdin().expect("a pipe");
    keys.write_all(b"typed\n").expect("type");
    let output = running.finish(BOUND).expect("end");
    drop(keys);
    let got = std::fs::read_to_string(told).unwrap_or_default();
    assert_eq!(got, "got typed\n", "{}", scopeward_tests::daemon::said(&output));
}

#[test]
fn started_by_sudo_the_command_runs_as_the_caller() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward, Need::Nobody]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = open_scope(&scratch);
    // The events are the caller's too: written with the caller's rights.
    let theirs = scratch.path("home");
    std::os::unix::fs::chown(&theirs, Some(65534), Some(65534)).expect("give the home away");
    let session = Session::new(&scratch, &scope).events_to(&theirs.join("events"));
    let mut command = session.command(&["sh", "-c", "id -u; id -ru; id -g"]);
    command
        .env("SUDO_UID", "65534")
        .env("SUDO_GID", "65534")
        .env("SUDO_USER", "nobody");
    let ended = session
        .end(Bounded::start(&mut command).expect("start"))
        .expect("end");
    assert_eq!(ended.stdout, "65534\n65534\n65534\n", "{ended:?}");
}

#[test]
fn events_go_to_standard_output_where_asked() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = open_scope(&scratch);
    let session = Session::new(&scratch, &scope).events_to(Path::new("-"));
    let ended = session.run(&["true"]).expect("run");
    let first = ended.stdout.lines().next().unwrap_or_default();
    let event: serde_json::Value = serde_json::from_str(first).unwrap_or_default();
    assert_eq!(event["schema"], "scopeward.event/1", "{ended:?}");
}

#[test]
fn an_observed_session_is_not_changed() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let scope = scratch.write(
        "scope.toml",
        scope::guarding(std::slice::from_ref(&guarded), "kill"),
    );
    let session = Session::new(&scratch, &scope.expect("write the scope")).observing();
    let ended = session
        .run(&[std::ffi::OsStr::new("cat"), guarded.as_os_str()])
        .expect("run");
    assert_eq!(
        (ended.status.code(), ended.stdout.as_str()),
        (Some(0), "secret\n"),
        "{ended:?}"
    );
    let cuts = ended.cuts_of("file.open");
    assert_eq!(cuts.len(), 1, "{:#?}", ended.events);
    assert_eq!(cuts[0]["verdict"]["called_for"], "kill");
    assert_eq!(cuts[0]["verdict"]["applied"], "flag");
}
