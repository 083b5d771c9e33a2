//! A store full of events, and the exporter that empties it.

use std::collections::HashSet;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use scopeward::export::exporters::Exporters;
use scopeward::export::filter::ExportFilter;
use scopeward::export::settings::{DestinationSettings, ExportSettings, Format, From};
use scopeward::export::status::ExporterStatus;
use scopeward::record::event::{EventRecord, Host};
use scopeward::record::store::{Store, StoreConfig};
use serde_json::json;

/// How many events a test takes, where nothing else is said.
const EVENTS: u64 = 20_000;
/// The longest that a test of [`EVENTS`] may take on a crowded machine; more events get more. Alone it takes 10 to 40 s.
const BOUND: Duration = Duration::from_secs(240);

/// How many events a test takes.
pub fn events() -> u64 {
    match std::env::var("SCOPEWARD_SIEM_EVENTS") {
        Ok(text) => text.parse().expect("SCOPEWARD_SIEM_EVENTS is a number"),
        Err(_) => EVENTS,
    }
}

/// The id of event `n`.
pub fn id(n: u64) -> String {
    format!("01M80XE2VV{n:016}")
}

/// Event `n`: a cut of one of eight sessions, with a name that needs escaping.
pub fn event(n: u64) -> EventRecord {
    let time =
        jiff::Timestamp::from_millisecond(1_795_000_000_000 + i64::try_from(n).expect("as the test made it"))
            .expect("as the test made it");
    serde_json::from_value(json!({
        "schema": "scopeward.event/1", "id": id(n), "time": time.to_string(),
        "host": {"name": "agent-7", "boot_id": "b", "machine_id": "0123456789abcdef0123456789abcdef"},
        "session": {"id": format!("s-{:016x}", n % 8), "agent": "claude-code", "root_pid": 4121, "agent_session": null,
                    "owner": {"uid": 1000, "name": "dev", "login_session": 3, "tty": "pts/0"}},
        "process": {"pid": 4212, "tid": 4212, "ppid": 4200, "started": time.to_string(), "exe": "/usr/bin/cat", "script": null,
                    "argv": ["cat", "x\n]\"=|\\ \u{7}"], "cwd": "/home/dev", "uid": 1000, "lineage": ["claude", "cat"]},
        "act": {"kind": "file.open", "path": format!("/home/dev/f-{n}\n"), "access": ["read"]},
        "verdict": {"called_for": "deny", "applied": "deny", "when": "before_act", "tier": "fanotify", "scope": "claude-code",
                    "rule": "files.rule[0]", "reason": "off limits", "grant": null},
        "weight": 20, "generation": 7,
    }))
    .expect("as the test made it")
}

/// A store and an exporter in directories of their own.
pub struct Feed {
    _store: Store,
    exporters: Exporters,
    writing: JoinHandle<()>,
    began: Instant,
    _dir: tempfile::TempDir,
}

/// What an exporter to `destination` is told in tests.
pub fn settings(destination: DestinationSettings) -> ExportSettings {
    ExportSettings {
        name: "siem".into(),
        destination,
        format: Format::Native,
        filter: ExportFilter::default(),
        redact: true,
        integrity: false,
        spool: 4 << 30,
        from: From::Oldest,
        batch: 200,
        timeout: Duration::from_secs(15),
    }
}

impl Feed {
    /// Starts the exporter of `settings`, and begins to write all events, while it is at work and has its troubles.
    pub fn start(settings: &ExportSettings) -> Self {
        let dir = tempfile::tempdir().expect("make a directory");
        let store =
            Store::open(&dir.path().join("events"), &StoreConfig::default()).expect("as the test made it");
        let exporters = Exporters::start(
            &dir.path().join("export"),
            store.tail(),
            Host::default(),
            std::slice::from_ref(settings),
        )
        .expect("as the test made it");
        let writer = store.writer();
        let writing = std::thread::spawn(move || {
            for n in 0..events() {
                writer.append(event(n));
                if n % 4_000 == 3_999 {
                    assert!(writer.flush(Duration::from_secs(30)));
                }
            }
            assert!(writer.flush(Duration::from_secs(30)));
        });
        Self {
            _store: store,
            exporters,
            writing,
            began: Instant::now(),
            _dir: dir,
        }
    }

    /// How the exporter is doing.
    pub fn status(&self) -> ExporterStatus {
        self.exporters.status().remove(0)
    }

    /// Whether everything was delivered, refused or given up.
    pub fn is_done(&self) -> bool {
        let totals = self.status().totals;
        totals.delivered + totals.refused + totals.given_up >= events()
    }

    /// Waits until everything is delivered; `meanwhile` is called again and again.
    pub fn finish(self, mut meanwhile: impl FnMut()) -> ExporterStatus {
        let bound = BOUND * u32::try_from(events().div_ceil(EVENTS)).expect("as the test made it");
        while !self.is_done() {
            assert!(self.began.elapsed() < bound, "{:#?}", self.status());
            meanwhile();
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = self.status();
        eprintln!(
            "{}: {} events in {:.1} s, {} retries",
            status.destination,
            status.totals.delivered,
            self.began.elapsed().as_secs_f64(),
            status.retries
        );
        self.writing.join().expect("everything was written");
        self.exporters.end();
        status
    }
}

/// That `ids` (as they arrived) are all events, in order within each session where nothing was sent twice; returns how
/// many arrived more than once.
pub fn check(ids: &[String], but: u64) -> u64 {
    let expected: HashSet<String> = (0..events()).map(id).collect();
    let mut seen = HashSet::new();
    let first: Vec<&String> = ids.iter().filter(|id| seen.insert((*id).clone())).collect();
    assert!(
        first.iter().all(|id| expected.contains(*id)),
        "something arrived that was never sent"
    );
    assert_eq!(first.len() as u64 + but, events(), "every event arrives");
    assert!(first.is_sorted(), "what arrives first is in order");
    ids.len() as u64 - first.len() as u64
}

/// The ids in lines of text, as messages and records have them, in order.
pub fn ids_in(path: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    text.lines()
        .filter_map(|line| {
            // A line that a death cut off is no message.
            let record: serde_json::Value = serde_json::from_str(&line[line.find("] {")? + 2..]).ok()?;
            let mut event: EventRecord = serde_json::from_value(record).ok()?;
            let n: u64 = event.id[10..].parse().ok()?;
            let place = event.chain.take().expect("its place in the store's chain");
            assert!(place.number > 0, "{place:?}");
            assert_eq!(event, self::event(n), "the same event, byte for byte");
            Some(event.id)
        })
        .collect()
}
