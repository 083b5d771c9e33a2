//! A run on a terminal, under a shell with job control.

use std::os::fd::AsRawFd as _;

use nix::{
    libc,
    pty::Winsize,
    sys::{
        signal::{Signal, kill},
        termios::LocalFlags,
    },
};

use super::{
    shell::{Job, Shell},
    supervised::{Free, until},
};

fn start(script: &str) -> Shell {
    Shell::start(&["--scope", "x", "--", "sh", "-c", script], Free::default(), true)
}

#[test]
fn control_c_reaches_the_command_once() {
    let mut shell = start(
        "trap 'n=$((n+1))' INT; echo ready; while test -z \"$n\"; do sleep 0.02; done; sleep 0.3; exit $n",
    );
    shell.shows("ready");
    shell.types("\x03");
    assert_eq!(shell.says(), Job::Ended(1));
}

#[test]
fn control_c_ends_the_command() {
    let mut shell = start("echo ready; exec sleep 100");
    shell.shows("ready");
    shell.types("\x03");
    assert_eq!(shell.says(), Job::Ended(130));
}

#[test]
fn control_z_stops_the_job_and_it_goes_on() {
    let mut shell = start("echo ready; read line; echo \"read $line\"; exit 6");
    for _ in 0..3 {
        shell.shows("ready");
        shell.types("\x1a");
        assert_eq!(shell.says(), Job::Stopped);
        shell.continues_in_the_foreground();
        shell.types("ready\x15");
    }
    shell.types("hello\n");
    shell.shows("read hello");
    assert_eq!(shell.says(), Job::Ended(6));
}

#[test]
fn a_job_in_the_background_that_reads_is_stopped() {
    let words = ["--scope", "x", "--", "sh", "-c", "read line; echo \"read $line\""];
    let mut shell = Shell::start(&words, Free::default(), false);
    assert_eq!(shell.says(), Job::Stopped);
    shell.continues_in_the_foreground();
    shell.types("hello\n");
    shell.shows("read hello");
    assert_eq!(shell.says(), Job::Ended(0));
}

#[test]
fn a_command_that_stops_itself_gives_the_shell_back() {
    for signal in ["STOP", "TSTP"] {
        let mut shell = start(&format!("kill -{signal} $$; echo back"));
        assert_eq!(shell.says(), Job::Stopped, "{signal}");
        shell.continues_in_the_foreground();
        shell.shows("back");
        assert_eq!(shell.says(), Job::Ended(0), "{signal}");
    }
}

#[test]
fn a_frozen_command_does_not_stop_the_supervisor() {
    let words = [
        "--scope",
        "x",
        "--",
        "sh",
        "-c",
        "echo pid $$ .; kill -STOP $$; echo back",
    ];
    let mut shell = Shell::start(
        &words,
        Free {
            frozen: true,
            ..Free::default()
        },
        true,
    );
    shell.shows("pid ");
    let pid = shell.shows_until(" .");
    assert!(shell.is_silent_for(700));
    kill(
        nix::unistd::Pid::from_raw(pid.trim().parse().unwrap()),
        Signal::SIGCONT,
    )
    .unwrap();
    shell.shows("back");
    assert_eq!(shell.says(), Job::Ended(0));
}

#[test]
fn a_new_window_size_is_told_once() {
    let mut shell = start(
        "trap 'n=$((n+1))' WINCH; echo ready; while test -z \"$n\"; do sleep 0.02; done; sleep 0.3; stty size; exit $n",
    );
    shell.shows("ready");
    let size = Winsize {
        ws_row: 50,
        ws_col: 132,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the size is read from where it is.
    unsafe { libc::ioctl(shell.terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    shell.shows("50 132");
    assert_eq!(shell.says(), Job::Ended(1));
}

#[test]
fn a_terminal_that_a_killed_command_left_raw_is_put_right() {
    let mut shell = start("stty raw -echo; echo ready; kill -KILL $$");
    shell.shows("ready");
    assert_eq!(shell.says(), Job::Ended(137));
    assert!(
        shell
            .settings()
            .local_flags
            .contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG)
    );
}

#[test]
fn a_terminal_that_a_command_set_and_ended_by_itself_is_left_alone() {
    let mut shell = start("stty -echo; exit 0");
    assert_eq!(shell.says(), Job::Ended(0));
    assert!(!shell.settings().local_flags.contains(LocalFlags::ECHO));
}

#[test]
fn a_command_with_jobs_of_its_own_works() {
    // A shell in a shell: it makes itself a process group, takes the terminal, and gives it back.
    let words = [
        "--scope",
        "x",
        "--",
        "env",
        "PS1=ready>",
        "bash",
        "--norc",
        "--noediting",
        "-i",
    ];
    let mut shell = Shell::start(&words, Free::default(), true);
    shell.shows("ready>");
    shell.types("sleep 100\n");
    until(|| shell.foreground() == "sleep");
    shell.types("\x1a");
    shell.shows("Stopped");
    shell.shows("ready>");
    shell.types("fg\n");
    until(|| shell.foreground() == "sleep");
    shell.types("\x03");
    shell.shows("ready>");
    shell.types("exit 9\n");
    assert_eq!(shell.says(), Job::Ended(9));
}
