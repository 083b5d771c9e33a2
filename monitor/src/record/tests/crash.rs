use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::sample;
use crate::record::filter::Filter;
use crate::record::segment;
use crate::record::store::{Store, StoreConfig};

const DIR: &str = "SCOPEWARD_TEST_STORE";

/// Not a test by itself: the process that the next test kills.
#[test]
fn writer_child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let config = StoreConfig {
        segment_bytes: 50_000,
        ..StoreConfig::default()
    };
    let store = Store::open(dir.as_ref(), &config).unwrap();
    let known = store.query(&Filter::default()).unwrap().len() as u64;
    for n in known.. {
        store.writer().append(sample::event(n));
        if n % 97 == 0 && store.writer().flush(Duration::from_secs(10)) {
            println!("on disk {n}");
        }
    }
}

#[test]
fn kill_9_loses_at_most_what_was_not_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut least = 0;
    for round in 1..=8_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "record::tests::crash::writer_child", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines
            .by_ref()
            .map(Result::unwrap)
            .filter(|line| line.contains("on disk "))
            .take(5)
        {
            least = line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        }
        std::thread::sleep(Duration::from_millis(round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        for segment in segment::list(dir.path()).unwrap() {
            let db = rusqlite::Connection::open(segment.path).unwrap();
            let answer: String = db
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .unwrap();
            assert_eq!(answer, "ok");
        }
    }
    let store = Store::open(dir.path(), &StoreConfig::default()).unwrap();
    let health = store.health();
    assert_eq!(health.unclean_stops, 8);
    let gap = health.gap.expect("the last stop was one");
    let events = store.query(&Filter::default()).unwrap();
    assert!(
        events.len() as u64 > least,
        "{} of at least {least}",
        events.len()
    );
    assert!(
        events
            .iter()
            .zip(0..)
            .all(|(event, n)| sample::plain(event.clone()) == sample::event(n)),
        "no hole, nothing changed"
    );
    let key = crate::record::signer::public_key(dir.path()).unwrap();
    let report = crate::record::verify::verify(dir.path(), &key, &[]).unwrap();
    assert_eq!(
        report.findings,
        Vec::<String>::new(),
        "the chain is whole after each death"
    );
    assert_eq!(report.last, events.len() as u64);
    assert_eq!(gap.after, events.last().map(|event| event.time));
    drop(store);
    let health = Store::open(dir.path(), &StoreConfig::default()).unwrap().health();
    assert_eq!(
        (health.unclean_stops, health.gap),
        (8, None),
        "the one before was a shutdown"
    );
}
