//! Nobody outside a session waits for a daemon that does not answer.

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::libc::EPERM;
use nix::sys::signal::Signal;
use scopeward::observe::fanotify::FanotifyState;

use crate::actor::Actor;
use crate::host::Host;
use crate::session::{Session, can_run, outsider, within};

/// The longest that anybody may have to wait.
const WAIT_MAX: Duration = Duration::from_secs(1);

fn cat(path: &std::path::Path) -> Duration {
    let start = Instant::now();
    let out = Command::new("cat").arg(path).output().unwrap();
    let took = start.elapsed();
    assert_eq!(out.stdout, b"secret", "{out:?}");
    took
}

#[test]
fn a_stopped_daemon_lets_outsiders_go_and_recovers() {
    if !can_run() {
        return;
    }
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, "secret").unwrap();
    let mut host = Host::start(&key);
    let free = cat(&key);
    for round in 0..3 {
        host.stop();
        let first = cat(&key);
        let second = cat(&key);
        host.signal(Signal::SIGCONT);
        println!("round {round}: answered {free:?}, stopped {first:?}, after that {second:?}");
        assert!(first < WAIT_MAX && second < WAIT_MAX, "{first:?} {second:?}");
        let released = within(Duration::from_secs(1), || {
            host.state().contains("Released").then_some(())
        });
        assert!(released.is_some(), "{}", host.state());
        let back = within(Duration::from_secs(5), || {
            host.state().starts_with("Active").then_some(())
        });
        assert!(back.is_some(), "{}", host.state());
    }
    assert!(host.state().contains("releases: 3"), "{}", host.state());
}

#[test]
fn a_killed_daemon_lets_a_waiting_opener_go() {
    if !can_run() {
        return;
    }
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, "secret").unwrap();
    let host = Host::start(&key);
    host.stop();
    let mut reader = Command::new("cat")
        .arg(&key)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert!(reader.try_wait().unwrap().is_none(), "it does not wait");
    let start = Instant::now();
    host.signal(Signal::SIGKILL);
    assert!(reader.wait().unwrap().success());
    println!("let go {:?} after the kill", start.elapsed());
    assert!(start.elapsed() < WAIT_MAX);
}

#[test]
fn a_verdict_that_takes_too_long_releases_everybody_and_is_armed_again() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let key = session.path("key");
    *session.seen.delay.lock().unwrap() = Duration::from_secs(2);
    let mut member = Actor::start("open", &[&key]);
    session.enrol(member.pid());
    member.go();
    std::thread::sleep(Duration::from_millis(30));
    let start = Instant::now();
    assert_eq!(outsider("open", &[&key]), 0);
    println!("outsider behind a hung verdict: {:?}", start.elapsed());
    assert!(start.elapsed() < WAIT_MAX);
    assert_eq!(member.finish(), 0, "released like everybody");
    let is_active = || matches!(session.tier.state(), FanotifyState::Active { .. }).then_some(());
    assert!(
        matches!(session.tier.state(), FanotifyState::Released { .. }),
        "{:?}",
        session.tier.state()
    );
    *session.seen.delay.lock().unwrap() = Duration::ZERO;
    within(Duration::from_secs(8), is_active).unwrap();
    assert_eq!(session.member("open", &[&key]), EPERM);
}

#[test]
fn a_watchdog_that_ends_is_replaced() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    // Past the time in which an ended watchdog counts as one that cannot run.
    std::thread::sleep(Duration::from_millis(1100));
    let first = session.tier.watchdog().unwrap();
    let first = nix::unistd::Pid::from_raw(first);
    nix::sys::signal::kill(first, Signal::SIGKILL).unwrap();
    let other = || session.tier.watchdog().filter(|&now| now != first.as_raw());
    assert!(within(Duration::from_secs(2), other).is_some());
    assert!(matches!(session.tier.state(), FanotifyState::Active { .. }));
    assert_eq!(session.member("open", &[&session.path("key")]), EPERM);
}

#[test]
fn a_busy_machine_is_no_reason_to_release() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let key = session.path("key");
    let mut spinning: Vec<_> = (0..6).map(|_| Actor::start("spin", &[&key])).collect();
    spinning.iter_mut().for_each(Actor::go);
    for _ in 0..5 {
        assert_eq!(outsider("open-often", &[&key]), 0);
        assert_eq!(session.member("open", &[&key]), EPERM);
    }
    let counters = session.tier.counters();
    assert_eq!((counters.releases, counters.errors), (0, 0), "{counters:?}");
    assert!(spinning.into_iter().all(|actor| actor.finish() == 0));
}

#[test]
fn a_verdict_that_fails_is_a_denial() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    session.seen.fails.store(true, Ordering::SeqCst);
    assert_eq!(session.member("open", &[&session.path("key")]), EPERM);
    assert_eq!(outsider("open", &[&session.path("key")]), 0);
    assert_eq!(session.tier.counters().errors, 1);
}

#[test]
fn without_its_keeper_nobody_is_asked() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    session.seen.fails.store(true, Ordering::SeqCst);
    std::fs::remove_file(session.path("key")).unwrap();
    std::fs::write(session.path("key"), "secret").unwrap();
    let gone = || matches!(session.tier.state(), FanotifyState::Unavailable { .. }).then_some(());
    within(Duration::from_secs(2), gone).unwrap();
    assert_eq!(session.member("open", &[&session.path("key")]), 0);
    assert!(session.tier.disarm().is_err());
    assert_eq!(session.tier.watchdog(), None);
}
