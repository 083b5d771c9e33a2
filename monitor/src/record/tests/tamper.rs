use std::path::Path;
use std::time::Duration;

use super::sample;
use crate::record::segment::{list, segment_path};
use crate::record::signer::{PUBLIC_FILE, hex, public_key};
use crate::record::store::{Store, StoreConfig};
use crate::record::verify::{Kept, Report, verify};

/// More than one head that stays.
const EVENTS: u64 = 9_000;

fn fill(dir: &Path, config: &StoreConfig, from: u64, to: u64) {
    let store = Store::open(dir, config).unwrap();
    let writer = store.writer();
    for n in from..to {
        writer.append(sample::event(n));
        if n % 500 == 499 {
            assert!(writer.flush(Duration::from_secs(20)));
        }
    }
}

fn walk(dir: &Path) -> Report {
    verify(dir, &public_key(dir).unwrap(), &[]).unwrap()
}

fn clean(dir: &Path) -> Report {
    let report = walk(dir);
    assert_eq!(report.findings, Vec::<String>::new());
    report
}

/// A store with one segment, changed by `sql`; what is found then.
fn after(sql: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &StoreConfig::default(), 0, EVENTS);
    assert_eq!(clean(dir.path()).records, EVENTS);
    let db = rusqlite::Connection::open(segment_path(dir.path(), 1)).unwrap();
    db.execute_batch(sql).unwrap();
    drop(db);
    let report = walk(dir.path());
    assert!(!report.findings.is_empty(), "{sql}: nothing found");
    report.findings
}

#[test]
fn what_is_changed_removed_or_moved_is_named() {
    let id = sample::event(41).id;
    let record = format!("record 42 ({id}, ");
    for sql in [
        "UPDATE event SET time = time + 1 WHERE place = 42",
        "UPDATE event SET session = (SELECT id FROM session WHERE id != event.session) WHERE place = 42",
        "INSERT INTO path SELECT 100000, dir, 'other' FROM path LIMIT 1; UPDATE event SET path = 100000 WHERE place = 42",
        "UPDATE event SET path = NULL WHERE place = 42",
        "UPDATE event SET count = 2 WHERE place = 42",
        "UPDATE event SET tag = tag + 1 WHERE place = 42",
        "UPDATE path SET name = 'other' WHERE id = (SELECT path FROM event WHERE place = 42)",
    ] {
        let found = after(sql);
        assert!(
            found[0].starts_with(&record) && found.len() == 1,
            "{sql}: {found:?}"
        );
    }
    let found = after("DELETE FROM event WHERE place = 42");
    assert_eq!(found, ["record 42 was removed from segment 1"]);
    let found = after("DELETE FROM event WHERE place BETWEEN 42 AND 50");
    assert_eq!(found, ["records 42 to 50 were removed from segment 1"]);
    let found = after(
        "UPDATE event SET place = -1 WHERE place = 42; UPDATE event SET place = 42 WHERE place = 43;
         UPDATE event SET place = 43 WHERE place = -1",
    );
    assert!(
        found[0].starts_with("record 42 (") && found[0].contains("put in another's place"),
        "{found:?}"
    );
}

#[test]
fn the_end_cannot_be_cut_off() {
    let found = after("DELETE FROM event WHERE place > 8500");
    assert_eq!(
        found,
        ["records 8501 to 9000 were removed from the end of segment 1"]
    );
    let found = after(
        "DELETE FROM event WHERE place > 8192; DELETE FROM latest; INSERT INTO latest SELECT * FROM head WHERE place = 8192",
    );
    assert!(found[0].contains("is not signed"), "{found:?}");
    let found = after("DELETE FROM event WHERE place > 8192; DELETE FROM latest");
    assert_eq!(found, ["segment 1 has no last head: its end cannot be told"]);
}

#[test]
fn a_chain_that_was_made_anew_is_not_signed() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &StoreConfig::default(), 0, 100);
    let (key, report) = (public_key(dir.path()).unwrap(), clean(dir.path()));
    let kept = |number: u64, link: &str| Kept {
        number,
        link: link.to_owned(),
    };
    let at = |kept: Kept| verify(dir.path(), &key, &[kept]).unwrap().findings;
    assert!(at(kept(100, &report.link[..16])).is_empty());
    assert!(at(kept(100, "0000000000000000"))[0].contains("record 100 is not the one"));
    assert!(at(kept(101, "0000000000000000"))[0].contains("record 101 is not there"));
    let other = tempfile::tempdir().unwrap();
    fill(other.path(), &StoreConfig::default(), 0, 100);
    assert!(clean(other.path()).findings.is_empty());
    let findings = verify(other.path(), &key, &[]).unwrap().findings;
    assert!(findings[0].contains("is not signed by this key"), "{findings:?}");
    let text = std::fs::read_to_string(dir.path().join(PUBLIC_FILE)).unwrap();
    assert_eq!(text.trim(), hex(key.as_bytes()));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &dir.path().join("chain.key").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn segments_go_on_over_restarts_and_leave_their_ends_behind() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        segment_bytes: 100_000,
        retention_bytes: 2_000_000,
        ..StoreConfig::default()
    };
    fill(dir.path(), &config, 0, 15_000);
    fill(dir.path(), &config, 15_000, 30_000);
    std::thread::sleep(Duration::from_millis(500));
    let report = clean(dir.path());
    assert!(report.removed > 0 && report.segments > 2, "{report:?}");
    assert_eq!(report.last, 30_000);
    // The same without a note of it is somebody else's doing.
    let segments = list(dir.path()).unwrap();
    let middle = &segments[segments.len() / 2];
    std::fs::remove_file(&middle.path).unwrap();
    let findings = walk(dir.path()).findings;
    assert_eq!(
        findings,
        [format!(
            "segment {} is missing, and retention did not remove it",
            middle.number
        )]
    );
}
