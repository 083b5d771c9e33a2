//! Reading everything in the order in which it was written.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::record::holds::{Hold, Holds};
use crate::record::store::{Store, StoreConfig};
use crate::record::tail::{Position, Tail};
use crate::record::tests::sample;

fn read_all(tail: &Tail, from: &Position) -> (Vec<String>, Position, u64) {
    let mut ids = Vec::new();
    let reading = tail
        .read(from, &mut |event, _| {
            ids.push(event.id);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(reading.end);
    (ids, reading.position, reading.gone)
}

fn append(store: &Store, numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    let writer = store.writer();
    let ids = numbers
        .into_iter()
        .map(|number| {
            let event = sample::event(number);
            let id = event.id.clone();
            writer.append(event);
            id
        })
        .collect();
    assert!(writer.flush(Duration::from_secs(20)));
    ids
}

#[test]
fn what_is_new_is_read_once_whatever_its_clock_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &StoreConfig::default()).unwrap();
    let tail = store.tail();
    let first = append(&store, 1_000..1_500);
    let (ids, position, gone) = read_all(&tail, &Position::default());
    assert_eq!((ids, gone, position.events), (first, 0, 500));
    // The clock was set back: these ids are before all that were read.
    let second = append(&store, 0..300);
    let (ids, position, gone) = read_all(&tail, &position);
    assert_eq!((ids, gone, position.events), (second, 0, 800));
    assert_eq!(read_all(&tail, &position).0, Vec::<String>::new());
    assert_eq!(tail.end().unwrap(), position);
    assert_eq!(*tail.written.borrow(), 800);
    // Stopped and started again: counted on.
    drop(store);
    let store = Store::open(dir.path(), &StoreConfig::default()).unwrap();
    assert_eq!(store.tail().end().unwrap().events, 800);
    let third = append(&store, 5_000..5_010);
    let (ids, position, gone) = read_all(&store.tail(), &position);
    assert_eq!((ids, gone, position.events), (third, 0, 810));
}

#[test]
fn a_reader_goes_on_in_the_midst_of_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        segment_bytes: 64 << 10,
        ..StoreConfig::default()
    };
    let store = Store::open(dir.path(), &config).unwrap();
    let mut written = Vec::new();
    for part in 0..6 {
        written.extend(append(&store, part * 2_000..part * 2_000 + 1_500));
    }
    assert!(store.health().segments > 2, "several segments");
    let mut position = Position::default();
    let mut ids = Vec::new();
    loop {
        let before = ids.len();
        let reading = store
            .tail()
            .read(&position.clone(), &mut |event, after| {
                ids.push(event.id);
                assert_eq!(after.events, ids.len() as u64);
                position = after.clone();
                if ids.len() == before + 37 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .unwrap();
        assert_eq!(reading.gone, 0);
        if reading.end && ids.len() == before {
            break;
        }
    }
    assert_eq!(ids, written);
}

#[test]
fn what_is_held_stays_and_what_is_not_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        segment_bytes: 64 << 10,
        retention_bytes: 256 << 10,
        ..StoreConfig::default()
    };
    let holds = Holds::default();
    holds.set(
        "siem",
        Hold {
            segment: 0,
            bytes: 64 << 20,
        },
    );
    let store = Store::open_held(dir.path(), &config, holds.clone()).unwrap();
    for part in 0..10 {
        append(&store, part * 2_000..part * 2_000 + 2_000);
    }
    let tail = store.tail();
    let (ids, position, gone) = read_all(&tail, &Position::default());
    assert_eq!((ids.len(), gone, position.events), (20_000, 0, 20_000));
    let mut early = None;
    tail.read(&Position::default(), &mut |_, after| {
        early = Some(after.clone());
        ControlFlow::Break(())
    })
    .unwrap();
    // Not held any more: retention takes it, and a reader from before is told how much.
    holds.remove("siem");
    for part in 10..14 {
        append(&store, part * 2_000..part * 2_000 + 2_000);
    }
    let (ids, position, gone) = read_all(&tail, &early.unwrap());
    assert!(gone > 0, "some are gone");
    assert_eq!(1 + gone + ids.len() as u64, 28_000);
    assert_eq!(position.events, 28_000);
    assert_eq!(
        read_all(&tail, &Position::default()).2,
        0,
        "who begins misses nothing"
    );
}

#[test]
fn another_store_in_the_same_place_is_read_from_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &StoreConfig::default()).unwrap();
    append(&store, 0..100);
    let (_, position, _) = read_all(&store.tail(), &Position::default());
    drop(store);
    for file in std::fs::read_dir(dir.path()).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let store = Store::open(dir.path(), &StoreConfig::default()).unwrap();
    let written = append(&store, 500..620);
    let (ids, _, gone) = read_all(&store.tail(), &position);
    assert_eq!((ids, gone), (written, 0));
}

#[test]
fn who_begins_at_the_end_misses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        segment_bytes: 64 << 10,
        ..StoreConfig::default()
    };
    let store = Store::open(dir.path(), &config).unwrap();
    let tail = store.tail();
    let mut from = tail.end().unwrap();
    for part in 0..5 {
        let written = append(&store, part * 2_000..part * 2_000 + 2_000);
        // Wherever the end was, in the midst of a segment or behind a sealed one.
        let (ids, position, gone) = read_all(&tail, &from);
        assert_eq!((ids, gone), (written, 0));
        from = tail.end().unwrap();
        assert_eq!(
            (from.events, position.events),
            ((part + 1) * 2_000, (part + 1) * 2_000)
        );
    }
}
