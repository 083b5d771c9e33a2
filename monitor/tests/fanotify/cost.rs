//! What an outsider pays on a guarded file, and that nobody pays beside it.

use std::time::{Duration, Instant};

use scopeward::observe::fanotify::{Guarded, Settings};

use crate::actor::Actor;
use crate::session::{Session, can_run, outsider, settings};

/// Nanoseconds of one act of an outsider on `name`: the median of five.
fn cost(session: &Session, act: &str, name: &str) -> u64 {
    let (path, result) = (session.path(name), session.path("result"));
    let mut took: Vec<u64> = (0..5)
        .map(|_| {
            assert_eq!(outsider(act, &[&path, &result]), 0);
            std::fs::read_to_string(&result).unwrap().parse().unwrap()
        })
        .collect();
    took.sort_unstable();
    took[2]
}

#[test]
#[ignore = "a measurement: run it alone"]
fn what_a_guard_costs() {
    if !can_run() {
        return;
    }
    for reads in [false, true] {
        let session = Session::with(Settings { reads, ..settings() }, |_| Guarded::default());
        std::fs::write(session.path("beside"), "plain").unwrap();
        let before = ["time-opens", "time-reads"].map(|act| cost(&session, act, "key"));
        session
            .tier
            .set(&Guarded {
                exact: vec![session.path("key")],
                ..Guarded::default()
            })
            .unwrap();
        let guarded = ["time-opens", "time-reads"].map(|act| cost(&session, act, "key"));
        let beside = ["time-opens", "time-reads"].map(|act| cost(&session, act, "beside"));
        println!(
            "reads asked: {reads}; ns per open, read: free {before:?}, guarded {guarded:?}, beside {beside:?}"
        );
    }
}

#[test]
#[ignore = "a measurement: run it alone"]
fn what_many_guards_cost() {
    if !can_run() {
        return;
    }
    let session = Session::with(settings(), |_| Guarded::default());
    let dir = session.path("many");
    std::fs::create_dir(&dir).unwrap();
    let exact: Vec<_> = (0..10_000).map(|at| dir.join(format!("file{at}"))).collect();
    exact.iter().for_each(|path| std::fs::write(path, "x").unwrap());
    for guarded in [
        Guarded {
            exact: exact.clone(),
            ..Guarded::default()
        },
        Guarded {
            exact: exact[1..].to_vec(),
            ..Guarded::default()
        },
        Guarded {
            trees: vec![dir.clone()],
            ..Guarded::default()
        },
        Guarded::default(),
    ] {
        let start = Instant::now();
        let coverage = session.tier.set(&guarded).unwrap();
        println!(
            "{} guards: {:?} after {:?}",
            guarded.exact.len(),
            coverage,
            start.elapsed()
        );
    }
    let guarded = Guarded {
        exact: vec![dir.join("absent")],
        ..Guarded::default()
    };
    session.tier.set(&guarded).unwrap();
    let used = || std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks = |stat: &str| {
        stat.split(' ')
            .skip(13)
            .take(2)
            .map(|n| n.parse::<u64>().unwrap())
            .sum::<u64>()
    };
    let before = ticks(&used());
    assert_eq!(outsider("churn", &[&dir.join("other")]), 0);
    println!(
        "100,000 files made and removed beside a guarded name: {}0 ms of CPU",
        ticks(&used()) - before
    );
    let watchdog = session.tier.watchdog().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{watchdog}/status")).unwrap();
    let lines = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"));
    println!("watchdog: {:?}", lines.collect::<Vec<_>>());
}

#[test]
#[ignore = "a measurement: run it alone"]
fn how_often_a_member_wins_the_race_for_a_replaced_file() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let (key, result) = (session.path("key"), session.path("result"));
    let mut actor = Actor::start("race", &[&key, &result]);
    session.enrol(actor.pid());
    actor.go();
    let start = Instant::now();
    let mut replaced = 0;
    while start.elapsed() < Duration::from_millis(1800) {
        std::fs::write(session.path("new"), "newer").unwrap();
        std::fs::rename(session.path("new"), &key).unwrap();
        replaced += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(actor.finish(), 0);
    println!(
        "{} opens of {replaced} new files",
        std::fs::read_to_string(&result).unwrap()
    );
}
