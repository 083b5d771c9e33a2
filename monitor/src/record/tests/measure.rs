//! How much an event takes on disk, and how long the usual questions take: run by hand, with `--ignored --nocapture`.

use std::time::{Duration, Instant};

use super::sample;
use crate::record::event::EventRecord;
use crate::record::filter::Filter;
use crate::record::store::{Store, StoreConfig};
use crate::scope::words::Response;

/// How many events, where `SCOPEWARD_EVENTS` does not say.
const EVENTS: u64 = 200_000;

/// An event every 30 milliseconds; of a thousand paths in turn, one in a hundred a cut.
fn event(n: u64) -> EventRecord {
    let mut event = sample::event(n % 1_000);
    if n % 100 != 9 {
        event = sample::event(n % 1_000 / 10 * 10);
    }
    event.time = sample::start() + jiff::SignedDuration::from_millis((n * 30).cast_signed());
    event.id = ulid::Ulid::from_parts(event.time.as_millisecond().unsigned_abs(), n.into()).to_string();
    event
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
#[ignore = "measures"]
fn size_of_an_event_and_time_of_a_question() {
    let all = std::env::var("SCOPEWARD_EVENTS").map_or(EVENTS, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        retention_age: Duration::from_secs(10 * 365 * 86_400),
        retention_bytes: u64::MAX / 8,
        ..StoreConfig::default()
    };
    let store = Store::open(dir.path(), &config).unwrap();
    let began = Instant::now();
    for n in 0..all {
        store.writer().append(event(n));
        if n % 4_000 == 0 {
            assert!(store.writer().flush(Duration::from_secs(60)));
        }
    }
    assert!(store.writer().flush(Duration::from_secs(60)));
    let written = began.elapsed();
    let health = store.health();
    assert_eq!((health.written, health.lost), (all, 0));
    let last = event(all - 1).time;
    let hour = Filter {
        agent: vec!["codex".into()],
        since: last.checked_sub(jiff::SignedDuration::from_hours(1)).ok(),
        limit: Some(100),
        order: crate::record::filter::Order::Newest,
        ..Filter::default()
    };
    let cuts = Filter {
        verdict: vec![Response::Flag, Response::Deny, Response::Freeze, Response::Kill],
        since: hour.since,
        ..Filter::default()
    };
    for (name, filter) in [("events --agent --since 1h", hour), ("cuts of an hour", cuts)] {
        let mut found = 0;
        let times = (0..9).map(|_| {
            let began = Instant::now();
            found = store.query(&filter).unwrap().len();
            began.elapsed()
        });
        println!(
            "{name}: {:?} at the median, {found} events",
            median(times.collect())
        );
    }
    println!(
        "{all} events in {written:?}: {:.1} bytes an event in {} segments",
        health.bytes as f64 / all as f64,
        health.segments
    );
}
