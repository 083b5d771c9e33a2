//! The file destination, through the whole of an exporter: killed, restarted, refused, rotated.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::export::exporters::Exporters;
use crate::export::filter::ExportFilter;
use crate::export::settings::{DestinationSettings, ExportSettings, FileSettings, Format, From};
use crate::export::status::ExporterStatus;
use crate::record::event::Host;
use crate::record::store::{Store, StoreConfig};
use crate::record::tests::sample;
use crate::scope::words::Response;

pub(crate) fn to_file(path: &Path) -> ExportSettings {
    ExportSettings {
        name: "siem".into(),
        destination: DestinationSettings::File(FileSettings {
            path: path.to_owned(),
            bytes: 1 << 20,
            keep: 1_000,
        }),
        format: Format::Native,
        filter: ExportFilter::default(),
        redact: true,
        integrity: false,
        spool: 64 << 20,
        from: From::Oldest,
        batch: 100,
        timeout: Duration::from_secs(10),
    }
}

/// Waits until the one exporter has nothing left to do.
pub(crate) fn settled(exporters: &Exporters, events: u64) -> ExporterStatus {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let status = exporters.status().remove(0);
        let totals = status.totals;
        if totals.delivered + totals.filtered + totals.refused + totals.given_up >= events {
            return status;
        }
        assert!(Instant::now() < until, "{status:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lines(path: &Path) -> Vec<String> {
    let mut parts: Vec<_> = (1..1_000)
        .map(|number| path.with_extension(format!("ndjson.{number}")))
        .take_while(|path| path.exists())
        .collect();
    parts.reverse();
    parts.push(path.to_owned());
    let text: String = parts
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn every_event_is_in_the_file_once_though_the_exporter_dies_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.ndjson");
    let cursors = dir.path().join("export");
    let store = Store::open(&dir.path().join("events"), &StoreConfig::default()).unwrap();
    let settings = [to_file(&file)];
    let writer = store.writer();
    for round in 0..6_u64 {
        for n in 0..1_000 {
            writer.append(sample::event(round * 1_000 + n));
        }
        assert!(writer.flush(Duration::from_secs(20)));
        // Dropped without an end, wherever it is: as a kill would.
        let exporters = Exporters::start(&cursors, store.tail(), Host::default(), &settings).unwrap();
        std::thread::sleep(Duration::from_millis(3 + round * 7));
        drop(exporters);
        std::thread::sleep(Duration::from_millis(50));
        // A death in the midst of a line.
        use std::io::Write;
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&file)
            .unwrap()
            .write_all(b"{\"half")
            .unwrap();
    }
    let exporters = Exporters::start(&cursors, store.tail(), Host::default(), &settings).unwrap();
    let status = settled(&exporters, 6_000);
    exporters.end();
    let ids: Vec<String> = lines(&file)
        .iter()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let expected: Vec<String> = (0..6_000).map(|n| sample::event(n).id).collect();
    assert_eq!(ids, expected, "each once, in order");
    assert_eq!(status.lag_events, 0);
    assert!(file.with_extension("ndjson.1").exists(), "it was rotated");
}

#[test]
fn a_destination_that_cannot_be_written_costs_nothing_but_time() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("later");
    let file = inside.join("events.ndjson");
    let store = Store::open(&dir.path().join("events"), &StoreConfig::default()).unwrap();
    let exporters = Exporters::start(
        &dir.path().join("export"),
        store.tail(),
        Host::default(),
        &[to_file(&file)],
    )
    .unwrap();
    let writer = store.writer();
    (0..50).for_each(|n| writer.append(sample::event(n)));
    assert!(writer.flush(Duration::from_secs(20)));
    let until = Instant::now() + Duration::from_secs(10);
    while !exporters.status()[0].failing {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(10));
    }
    let status = exporters.status().remove(0);
    assert_eq!((status.lag_events, status.totals.delivered), (50, 0));
    assert!(status.last_error.unwrap().error.contains("events.ndjson"));
    let error = exporters.test("siem").unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    std::fs::create_dir(&inside).unwrap();
    let status = settled(&exporters, 50);
    assert!(!status.failing, "{status:?}");
    let test = exporters.test("siem").unwrap();
    assert!(lines(&file).last().unwrap().contains(&test.event));
    assert_eq!(lines(&file).len(), 51);
    exporters.end();
}

#[test]
fn a_filter_passes_what_is_wanted_and_a_reload_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.ndjson");
    let store = Store::open(&dir.path().join("events"), &StoreConfig::default()).unwrap();
    let writer = store.writer();
    (0..1_000).for_each(|n| writer.append(sample::event(n)));
    assert!(writer.flush(Duration::from_secs(20)));
    let mut settings = to_file(&file);
    settings.filter.verdicts = vec![Response::Deny];
    let exporters = Exporters::start(
        &dir.path().join("export"),
        store.tail(),
        Host::default(),
        std::slice::from_ref(&settings),
    )
    .unwrap();
    let status = settled(&exporters, 1_000);
    assert_eq!((status.totals.delivered, status.totals.filtered), (100, 900));
    settings.filter = ExportFilter {
        least_weight: 0,
        ..ExportFilter::default()
    };
    exporters.reload(std::slice::from_ref(&settings));
    (1_000..1_010).for_each(|n| writer.append(sample::event(n)));
    let status = settled(&exporters, 1_010);
    assert_eq!((status.totals.delivered, status.totals.filtered), (110, 900));
    assert_eq!(lines(&file).len(), 110);
    exporters.reload(&[]);
    assert!(exporters.status().is_empty());
    exporters.end();
}
