//! Exit statuses.

use std::os::unix::fs::PermissionsExt;

use super::supervised::{Free, Supervised, run};

#[test]
fn the_status_of_the_command_is_the_status_of_the_run() {
    for (script, status) in [
        ("exit 0", 0),
        ("exit 42", 42),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("kill -INT $$", 130),
        ("kill -34 $$", 162),
    ] {
        let done = run(&["--scope", "x", "--", "sh", "-c", script]);
        assert_eq!(done.status, status, "{script}: {done:?}");
    }
}

#[test]
fn a_command_that_does_not_exist_is_127_and_one_line() {
    for (word, said) in [
        (
            "no-such-command-anywhere",
            "scopeward: no-such-command-anywhere: command not found\n",
        ),
        (
            "/no/such/path",
            "scopeward: /no/such/path: No such file or directory\n",
        ),
        ("", "scopeward: : command not found\n"),
    ] {
        let done = run(&["--scope", "x", "--", word]);
        assert_eq!(
            (done.status, done.stderr.lines().last()),
            (127, said.lines().next()),
            "{done:?}"
        );
    }
}

#[test]
fn a_command_that_cannot_be_run_is_126() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("text");
    std::fs::write(&path, "text").unwrap();
    for path in [path.to_str().unwrap(), "/"] {
        let done = run(&["--scope", "x", "--", path]);
        assert_eq!(done.status, 126, "{done:?}");
        assert!(
            done.stderr
                .ends_with(&format!("scopeward: {path}: Permission denied\n")),
            "{done:?}"
        );
    }
}

#[test]
fn a_script_without_a_first_line_is_run_by_the_shell() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("script");
    std::fs::write(&path, "echo \"$0 $1\"").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let path = path.to_str().unwrap();
    let done = run(&["--scope", "x", "--", path, "word"]);
    assert_eq!((done.status, done.stdout), (0, format!("{path} word\n")));
}

#[test]
fn what_cannot_be_held_does_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let words = ["--scope", "x", "--", "touch", mark.to_str().unwrap()];
    let done = Supervised::start(
        &words,
        Free {
            refuses: true,
            ..Free::default()
        },
        || {},
    )
    .done();
    assert_eq!(done.status, 2);
    assert_eq!(done.stderr, "scopeward: no such scope\n  take another one\n");
    assert!(!mark.exists());
}

#[test]
fn errors_of_a_scope_come_with_excerpts_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let scope = dir.path().join("scope.toml");
    std::fs::write(
        &scope,
        "mood = \"strict\"\n[network]\nallow = [\"10.0.0.0/33\"]\n",
    )
    .unwrap();
    let done = run(&["--scope", scope.to_str().unwrap(), "--", "true"]);
    assert_eq!(done.status, 2);
    for part in ["mood", "10.0.0.0/33", ":1:", ":3:"] {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
}

#[test]
fn who_names_no_scope_is_told_which_one_holds() {
    let done = run(&["--mode", "enforce", "--", "true"]);
    assert_eq!(
        done.stderr,
        "scopeward: held to @coding-agent (built in), mode enforce\n"
    );
    let done = run(&["--scope", "mine", "--", "true"]);
    let said =
        "scopeward: mine: this host decides 2 things of it late or not at all: scopeward scope check mine\n";
    assert_eq!(done.stderr, said);
}
