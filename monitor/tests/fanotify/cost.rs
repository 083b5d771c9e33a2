//! What an outsider pays on a guarded file, and that nobody pays beside it.

use scopeward::observe::fanotify::{Guarded, Settings};

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
