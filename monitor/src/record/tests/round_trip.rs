use std::time::Duration;

use super::sample;
use crate::record::event::EventRecord;
use crate::record::filter::Filter;
use crate::record::segment;
use crate::record::store::{Store, StoreConfig};

fn json(event: &EventRecord) -> String {
    serde_json::to_string(&sample::plain(event.clone())).unwrap()
}

/// Records that are as odd as the types allow.
fn odd_events() -> Vec<EventRecord> {
    let mut all = Vec::new();
    let mut event = sample::event(1);
    event.id = "not-a-ulid".into();
    event.act.path = Some("no-slash".into());
    event.act.to = Some("/a//b/".into());
    all.push(event.clone());
    event.id = "01jd".into();
    event.act.path = Some(String::new());
    event.act.to = Some("/".into());
    event.act.inode = Some(u64::MAX);
    event.count = u64::MAX;
    event.process.tid = 5;
    all.push(event.clone());
    event.id = ulid::Ulid(u128::MAX).to_string();
    event.act.path = Some("/tmp/\0\u{1b}[31m\u{202e}名前".into());
    event.process.argv = vec![String::new(), "\n".into(), "\"".into()];
    event.process.exe = None;
    event.process.started = None;
    event.process.lineage = vec![];
    event.act.port = Some(0);
    event.act.status = Some(137);
    event.act.family = Some("AF_VSOCK".into());
    event.host.machine_id = None;
    event.weight = u32::MAX;
    all.push(event);
    all
}

#[test]
fn every_record_comes_back_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let mut events: Vec<_> = (0..500).map(sample::event).collect();
    events.extend(odd_events());
    {
        let store = Store::open(dir.path(), &StoreConfig::default()).unwrap();
        let writer = store.writer();
        events.iter().cloned().for_each(|event| writer.append(event));
        let mut stored: Vec<_> = store
            .query(&Filter::default())
            .unwrap()
            .iter()
            .map(json)
            .collect();
        let mut expected: Vec<_> = events.iter().map(json).collect();
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected);
    }
    // Again from another process's point of view, by id, by its beginning, in small letters.
    let store = Store::open(dir.path(), &StoreConfig::default()).unwrap();
    for event in events.iter().step_by(50).chain(&events[500..]) {
        let get = |id: &str| store.get(id).unwrap().map(sample::plain);
        assert_eq!(get(&event.id).as_ref(), Some(event));
        assert_eq!(get(&event.id.to_lowercase()).as_ref(), Some(event));
    }
    let one = |id: &str| crate::api::control::stored_event(&store, id).map(|event| event.id);
    assert_eq!(one(&events[7].id), Ok(events[7].id.clone()));
    assert!(
        one(&events[7].id[..4])
            .unwrap_err()
            .to_string()
            .contains("more than one")
    );
    assert!(one("").is_err() && one("7Y").is_err());
    let prefix = &events[7].id[..12];
    let filter = Filter {
        id: Some(prefix.into()),
        ..Filter::default()
    };
    let found: Vec<_> = store
        .query(&filter)
        .unwrap()
        .into_iter()
        .map(sample::plain)
        .collect();
    assert!(found.iter().all(|event| event.id.starts_with(prefix)) && found.contains(&events[7]));
    for nothing in ["8", "01JDX", "UUUU", "01JZZZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
        assert_eq!(store.get(nothing).unwrap(), None);
    }
    let health = store.health();
    assert_eq!(
        (health.unclean_stops, health.gap),
        (0, None),
        "the first store was dropped"
    );
}

#[test]
fn an_event_costs_less_than_120_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let count = 20_000;
    {
        let store = Store::open(
            dir.path(),
            &StoreConfig {
                backlog: 50_000,
                ..StoreConfig::default()
            },
        )
        .unwrap();
        let writer = store.writer();
        (0..count)
            .map(sample::event)
            .for_each(|event| writer.append(event));
        assert!(writer.flush(Duration::from_secs(60)));
    }
    let bytes: u64 = segment::list(dir.path())
        .unwrap()
        .iter()
        .map(|segment| segment.bytes)
        .sum();
    eprintln!("{} bytes an event", bytes / count);
    assert!(bytes / count < 120, "{} bytes an event", bytes / count);
}

#[test]
fn segments_rotate_and_the_oldest_go() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        segment_bytes: 100_000,
        retention_bytes: 2_000_000,
        backlog: 100_000,
        ..StoreConfig::default()
    };
    let store = Store::open(dir.path(), &config).unwrap();
    let writer = store.writer();
    for n in 0..30_000 {
        writer.append(sample::event(n));
        if n % 1_000 == 0 {
            assert!(writer.flush(Duration::from_secs(10)));
        }
    }
    assert!(writer.flush(Duration::from_secs(10)));
    // The last rotation and what it unlinks come after the commit that was waited for.
    std::thread::sleep(Duration::from_millis(500));
    let health = store.health();
    assert!(health.segments > 2, "{health:?}");
    assert!(health.bytes < 3_000_000, "{health:?}");
    assert_eq!((health.lost, health.written), (0, 30_000));
    let kept: Vec<_> = store
        .query(&Filter::default())
        .unwrap()
        .into_iter()
        .map(sample::plain)
        .collect();
    assert!(kept.len() < 30_000);
    assert_eq!(kept.last().unwrap(), &sample::event(29_999));
    assert_eq!(kept.first().map(|event| event.time), health.oldest);
    assert!(kept.is_sorted_by_key(|event| event.time));
}

#[test]
fn a_damaged_segment_is_named_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        segment::segment_path(dir.path(), 3),
        "this is not a database, and long enough to see it",
    )
    .unwrap();
    let store = Store::open(dir.path(), &StoreConfig::default()).unwrap();
    store.writer().append(sample::event(1));
    let mut found = Vec::new();
    let result = store.visit(&Filter::default(), &mut |event| {
        found.push(sample::plain(event));
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(found, [sample::event(1)]);
    assert!(result.unwrap_err().to_string().contains("events-00000003.db"));
}
