//! What `scopeward run` says when it cannot run the command, and that it then does not.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use scopeward_tests::daemon::said;
use scopeward_tests::process::Bounded;
use scopeward_tests::programs;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

const BOUND: Duration = Duration::from_secs(60);

#[test]
fn a_command_that_does_not_exist_is_127() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let scope = scratch
        .write("scope.toml", scope::with(""))
        .expect("write the scope");
    let plain = scratch.write("no-program", "text").expect("write");
    for (word, status) in [
        ("no-such-command-anywhere", 127),
        ("/no/such/path", 127),
        (&plain.display().to_string(), 126),
    ] {
        let ended = Session::new(&scratch, &scope).run(&[word]).expect("run");
        assert_eq!(ended.status.code(), Some(status), "{word}: {ended:?}");
        assert!(
            ended.stderr.contains(word),
            "the message does not name {word}: {ended:?}"
        );
    }
}

#[test]
fn all_errors_of_a_scope_are_reported_at_once() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let text = "name = \"broken\"\nmood = \"strict\"\n\n[network]\ndefault = \"deny\"\nallow = [\"10.0.0.0/33\"]\n\n\
                [[files.rule]]\npaths = [\"relative/path\"]\nresponse = \"explode\"\n";
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let mark = scratch.path("it-ran");
    let ended = Session::new(&scratch, &scope)
        .run(&["touch".as_ref(), mark.as_os_str()])
        .expect("run");
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(!mark.exists(), "the command ran under a scope with errors");
    for excerpt in ["mood", "10.0.0.0/33", "relative/path", "explode"] {
        assert!(
            ended.stderr.contains(excerpt),
            "{excerpt} is not reported: {}",
            ended.stderr
        );
    }
    for line in [2, 6, 9, 10] {
        let named = [format!(":{line}"), format!("line {line}")]
            .iter()
            .any(|way| ended.stderr.contains(way));
        assert!(named, "line {line} is not named: {}", ended.stderr);
    }
}

#[test]
fn a_scope_that_is_not_there_is_a_usage_error() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let ended = Session::new(&scratch, &scratch.path("none.toml"))
        .run(&["true"])
        .expect("run");
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("none.toml"), "{ended:?}");
}

#[test]
fn without_root_and_without_a_daemon_it_says_so() {
    if !require(&[Need::Nobody, Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let scope = scratch
        .write("scope.toml", scope::with(""))
        .expect("write the scope");
    // The program itself may lie where nobody may go.
    let program = scratch.path("scopeward");
    std::fs::copy(programs::scopeward().expect("required above"), &program).expect("copy the program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("make it executable");
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&program);
    command.args(["run", "--scope"]).arg(&scope).args(["--", "true"]);
    command
        .env("SCOPEWARD_CONFIG", scratch.path("daemon.toml"))
        .current_dir("/");
    let output = Bounded::start(&mut command)
        .expect("start")
        .finish(BOUND)
        .expect("end");
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let lines = String::from_utf8_lossy(&output.stderr).lines().count();
    assert!((1..=3).contains(&lines), "not one sentence: {}", said(&output));
}
