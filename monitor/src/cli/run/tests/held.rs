//! The command before it is released.

use nix::{libc, sys::wait::waitpid};

use super::supervised::{children, until};
use crate::cli::run::{
    held::{Held, Start},
    signals::Signals,
};

fn start(signals: &Signals) -> Start<'_> {
    Start {
        variable: None,
        user: None,
        signals,
        dies_with_supervisor: false,
    }
}

#[test]
fn it_has_not_run_until_it_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let signals = Signals::block().unwrap();
    let held = Held::spawn(&["touch".into(), mark.clone().into()], &start(&signals)).unwrap();
    let own = std::fs::read_link("/proc/self/exe").unwrap();
    assert_eq!(
        std::fs::read_link(format!("/proc/{}/exe", held.pid())).unwrap(),
        own
    );
    // It waits in a read, for as long as it takes.
    until(|| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", held.pid())).unwrap();
        stat.contains(") S ")
    });
    assert!(!mark.exists());
    let released = held.release();
    let pid = released.pid();
    assert_eq!(released.exec_error(), None);
    waitpid(pid, None).unwrap();
    assert!(mark.exists());
}

#[test]
fn dropped_before_it_is_gone_without_having_run() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let signals = Signals::block().unwrap();
    let held = Held::spawn(&["touch".into(), mark.clone().into()], &start(&signals)).unwrap();
    let pid = held.pid();
    drop(held);
    assert!(!children(nix::unistd::getpid()).contains(&pid));
    assert!(!mark.exists());
}

#[test]
fn an_exec_that_fails_says_why() {
    let signals = Signals::block().unwrap();
    let released = Held::spawn(&["/no/such/path".into()], &start(&signals))
        .unwrap()
        .release();
    let pid = released.pid();
    let error = released.exec_error().unwrap();
    assert_eq!((error.errno, error.status()), (libc::ENOENT, 127));
    waitpid(pid, None).unwrap();
}
