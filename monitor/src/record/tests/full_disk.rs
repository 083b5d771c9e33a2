use std::path::Path;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::sample;
use crate::record::filter::Filter;
use crate::record::health::{StoreHealth, StoreState};
use crate::record::store::{Store, StoreConfig};

fn wait(store: &Store, what: &str, condition: impl Fn(&StoreHealth) -> bool) -> StoreHealth {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let health = store.health();
        if condition(&health) {
            return health;
        }
        assert!(Instant::now() < deadline, "{what}: {health:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A small file system of its own, seen by this thread and those it starts only.
fn tiny_disk(at: &Path) -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(
        Some("tmpfs"),
        at,
        Some("tmpfs"),
        MsFlags::empty(),
        Some("size=1m"),
    )
}

#[test]
fn a_full_disk_keeps_counts_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    if let Err(error) = tiny_disk(dir.path()) {
        eprintln!("skipped: no file system of its own for this test: {error}");
        return;
    }
    let store = Store::open(
        dir.path(),
        &StoreConfig {
            backlog: 500,
            ..StoreConfig::default()
        },
    )
    .unwrap();
    let writer = store.writer();
    writer.append(sample::event(0));
    wait(&store, "the first event", |health| health.written == 1);

    let filler = dir.path().join("filler");
    let mut full = std::fs::File::create(&filler).unwrap();
    while std::io::Write::write(&mut full, &[0; 512]).is_ok_and(|n| n > 0) {}
    let mut appended = 1;
    let failing = |health: &StoreHealth| matches!(health.state, StoreState::Failing(_));
    while !failing(&store.health()) {
        (0..100).for_each(|n| writer.append(sample::event(appended + n)));
        appended += 100;
        assert!(appended < 100_000);
        std::thread::sleep(Duration::from_millis(150));
    }
    let before = Instant::now();
    (0..1_000).for_each(|n| writer.append(sample::event(appended + n)));
    appended += 1_000;
    assert!(before.elapsed() < Duration::from_secs(1), "appending never waits");
    let health = store.health();
    assert!(
        matches!(&health.state, StoreState::Failing(reason) if reason.contains("full")),
        "{health:?}"
    );
    assert!(
        health.backlog <= 500 && health.lost > 0 && health.lost_cuts > 0,
        "{health:?}"
    );
    assert_eq!(
        health.written + health.backlog + health.lost,
        appended,
        "none is unaccounted for"
    );

    drop(full);
    std::fs::remove_file(filler).unwrap();
    let health = wait(&store, "recovery", |health| {
        health.state == StoreState::Ok && health.backlog == 0
    });
    writer.append(sample::event(appended));
    assert_eq!(health.written + health.lost, appended);
    let stored = store.query(&Filter::default()).unwrap();
    assert_eq!(stored.len() as u64, health.written + 1);
}

#[test]
fn a_directory_that_cannot_be_made_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let blocker = dir.path().join("state");
    std::fs::write(&blocker, "a file in the way").unwrap();
    let store = Store::open(&blocker, &StoreConfig::default()).unwrap();
    assert!(matches!(store.health().state, StoreState::Failing(_)));
    store.writer().append(sample::event(0));
    assert_eq!(store.query(&Filter::default()).ok(), None);
    std::fs::remove_file(&blocker).unwrap();
    wait(&store, "recovery", |health| {
        health.written == 1 && health.state == StoreState::Ok
    });
    // Removed under the writer's feet: what was in it is gone, what comes next is not.
    std::fs::remove_dir_all(&blocker).unwrap();
    store.writer().append(sample::event(1));
    wait(&store, "a new directory", |health| health.written == 2);
    let stored = store.query(&Filter::default()).unwrap();
    assert_eq!(
        stored.into_iter().map(sample::plain).collect::<Vec<_>>(),
        [sample::event(1)]
    );
}

#[test]
fn the_end_does_not_wait_for_a_disk_that_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let blocker = dir.path().join("state");
    std::fs::write(&blocker, "a file in the way").unwrap();
    let store = Store::open(&blocker, &StoreConfig::default()).unwrap();
    // More than one batch.
    (0..5_000).for_each(|n| store.writer().append(sample::event(n)));
    let start = Instant::now();
    drop(store);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
