//! What passes through the supervisor: descriptors, environment, signals.

use std::{io::Write as _, process::Command};

use nix::{
    libc,
    sys::signal::{Signal, kill},
};

use super::supervised::{Free, Supervised, run, until};

fn start(script: &str) -> Supervised {
    Supervised::start(
        &["--scope", "x", "--", "sh", "-c", script],
        Free::default(),
        || {},
    )
}

#[test]
fn input_output_and_environment_pass_through() {
    let mut run = start("cat; echo complaint >&2; echo $PPID $(ls -m /proc/self/fd); echo ${PATH+set}");
    let (pid, mut stdin) = (run.pid, run.stdin.take().unwrap());
    stdin.write_all(b"first\nsecond\n").unwrap();
    drop(stdin);
    let done = run.done();
    // No descriptor has come along but what this test was itself started with.
    let plain = Command::new("sh")
        .args(["-c", "echo $(ls -m /proc/self/fd)"])
        .output()
        .unwrap();
    let descriptors = String::from_utf8(plain.stdout).unwrap();
    assert_eq!(done.stdout, format!("first\nsecond\n{pid} {descriptors}set\n"));
    assert!(done.stderr.ends_with("complaint\n"), "{done:?}");
}

#[test]
fn the_command_starts_with_the_signals_of_its_caller() {
    let shown = run(&[
        "--scope",
        "x",
        "--",
        "grep",
        "-E",
        "^Sig(Blk|Ign)",
        "/proc/self/status",
    ])
    .stdout;
    assert_eq!(
        shown,
        format!("SigBlk:\t0000000000000000\nSigIgn:\t{:016x}\n", ignored())
    );
    let words = ["--scope", "x", "--", "grep", "^SigIgn", "/proc/self/status"];
    let ignoring = || {
        // SAFETY: ignoring runs no code.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
        // SAFETY: as above.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    };
    let shown = Supervised::start(&words, Free::default(), ignoring).done();
    assert_eq!(
        (shown.status, shown.stdout),
        (0, format!("SigIgn:\t{:016x}\n", ignored() | 0x10001))
    );
}

/// The signals that this test was started with as ignored: its own, but for `SIGPIPE`, which the Rust runtime ignores.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:\t"))
        .unwrap();
    u64::from_str_radix(mask, 16).unwrap() & !(1 << (libc::SIGPIPE - 1))
}

#[test]
fn signals_to_the_supervisor_reach_the_command() {
    for signal in ["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH"] {
        let mut run = start(&format!(
            "trap 'exit 7' {signal}; echo ready; while :; do sleep 0.02; done"
        ));
        run.await_output("ready\n");
        run.signal(format!("SIG{signal}").parse().unwrap());
        assert_eq!(run.done().status, 7, "{signal}");
    }
}

#[test]
fn a_signal_that_ends_the_command_ends_the_run_alike() {
    let mut run = start("echo ready; exec sleep 100");
    run.await_output("ready\n");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.done().status, 143);
}

#[test]
fn a_command_that_signals_its_group_gets_it_once() {
    let done = run(&[
        "--scope",
        "x",
        "--",
        "sh",
        "-c",
        "trap 'n=$((n+1))' TERM; kill -TERM 0; sleep 0.3; exit $n",
    ]);
    assert_eq!(done.status, 1, "{done:?}");
}

#[test]
fn what_was_ignored_stays_ignored() {
    let words = ["--scope", "x", "--", "sh", "-c", "echo ready; read line; exit 3"];
    let nohup = || {
        // SAFETY: ignoring runs no code.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
    };
    let mut run = Supervised::start(&words, Free::default(), nohup);
    run.await_output("ready\n");
    run.signal(Signal::SIGHUP);
    run.stdin.as_ref().unwrap().write_all(b"\n").unwrap();
    assert_eq!(run.done().status, 3);
}

#[test]
fn a_supervisor_that_dies_takes_along_what_nobody_else_holds() {
    for (dies, alive) in [(true, false), (false, true)] {
        let words = ["--scope", "x", "--", "sh", "-c", "echo ready; exec sleep 100"];
        let mut run = Supervised::start(
            &words,
            Free {
                dies,
                ..Free::default()
            },
            || {},
        );
        run.await_output("ready\n");
        let command = run.command();
        run.signal(Signal::SIGKILL);
        assert_eq!(run.done().status, -libc::SIGKILL);
        if alive {
            kill(command, Signal::SIGKILL).unwrap();
        }
        let gone = || {
            let state = std::fs::read_to_string(format!("/proc/{command}/stat"));
            state.map_or(true, |stat| stat.contains(") Z "))
        };
        until(gone);
    }
}
