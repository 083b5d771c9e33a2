//! How much an event takes on disk, how long the usual questions take, and how long it takes to open what is there.
//!
//! As a test it is small, and holds what does not depend on the machine. `SCOPEWARD_EVENTS=10000000` with `--release
//! --nocapture` measures, and holds the promises too; `SCOPEWARD_EVENTS_DIR` names a directory to keep the store in.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::sample;
use crate::record::event::EventRecord;
use crate::record::filter::{Filter, Order};
use crate::record::store::{Store, StoreConfig};
use crate::scope::words::Response;

/// How many events, where `SCOPEWARD_EVENTS` does not say.
const EVENTS: u64 = 20_000;
/// How far they are apart, in milliseconds.
const GAP: u64 = 30;
/// What an event may take on disk, in bytes, with its place in the chain.
const SIZE: f64 = 120.0;
/// What a question may take at the median.
const ANSWER: Duration = Duration::from_millis(100);
/// What `scopeward events` shows at most where nothing else is said.
const SHOWN: usize = 1_000;

/// The `n`th event since `start`; of some thousand paths in turn, one in a hundred a cut.
fn event(n: u64, start: Timestamp) -> EventRecord {
    let mut event = sample::event(n % 50_000);
    if n % 100 != 9 {
        event = sample::event(n % 50_000 / 10 * 10 + n % 2);
    }
    event.time = start + SignedDuration::from_millis((n * GAP).cast_signed());
    event.id = ulid::Ulid::from_parts(event.time.as_millisecond().unsigned_abs(), n.into()).to_string();
    event
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn a_large_store_is_small_and_quick() {
    let asked = std::env::var("SCOPEWARD_EVENTS").ok();
    let all = asked.as_ref().map_or(EVENTS, |text| text.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("SCOPEWARD_EVENTS_DIR").map_or(temporary.path().to_owned(), PathBuf::from);
    let config = StoreConfig {
        retention_age: Duration::from_secs(10 * 365 * 86_400),
        retention_bytes: u64::MAX / 8,
        ..StoreConfig::default()
    };
    let start = Timestamp::now() - SignedDuration::from_millis((all * GAP).cast_signed());
    let store = Store::open(&dir, &config).unwrap();
    let began = Instant::now();
    for n in 0..all {
        store.writer().append(event(n, start));
        if n % 4_000 == 0 {
            assert!(store.writer().flush(Duration::from_secs(60)));
        }
    }
    assert!(store.writer().flush(Duration::from_secs(60)));
    let written = began.elapsed();
    let health = store.health();
    assert_eq!((health.written, health.lost), (all, 0));
    drop(store);

    let began = Instant::now();
    let store = Store::open(&dir, &config).unwrap();
    store.writer().append(event(all, start));
    assert!(store.writer().flush(Duration::from_secs(60)));
    let opened = began.elapsed();

    let last = event(all, start).time;
    let hour = Filter {
        agent: vec!["codex".into()],
        since: last.checked_sub(SignedDuration::from_hours(1)).ok(),
        limit: Some(SHOWN),
        order: Order::Newest,
        ..Filter::default()
    };
    let cuts = Filter {
        verdict: vec![Response::Flag, Response::Deny, Response::Freeze, Response::Kill],
        agent: Vec::new(),
        ..hour.clone()
    };
    for (name, filter, there) in [
        ("events --agent --since 1h", hour, all / 2),
        ("the cuts of an hour", cuts, all / 100),
    ] {
        let mut found = 0;
        let times = (0..9).map(|_| {
            let began = Instant::now();
            found = store.query(&filter).unwrap().len();
            began.elapsed()
        });
        let median = median(times.collect());
        println!("{name}: {median:?} at the median, {found} events");
        let hour = 3_600_000 / GAP / if filter.agent.is_empty() { 100 } else { 2 };
        let expected = usize::try_from(there.min(hour)).unwrap().min(SHOWN);
        assert_eq!(found, expected, "{name}");
        assert!(asked.is_none() || median < ANSWER, "{name}: {median:?}");
    }
    let health = store.health();
    let size = health.bytes as f64 / (all + 1) as f64;
    println!(
        "{all} events in {written:?}: {size:.1} bytes an event in {} segments; opened again, with one more written, in {opened:?}",
        health.segments
    );
    // What is fixed of a segment does not tell in a store of any size.
    let fixed = 8 << 20;
    assert!(size < SIZE || health.bytes < fixed, "{size:.1} bytes an event");
}
