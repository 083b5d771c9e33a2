//! Kafka, by the cluster that librdkafka (Debian's package) brings for tests: down, slow, refusing.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use scopeward::export::settings::{DestinationSettings, KafkaSettings, TlsSettings};
use scopeward_tests::process::wait_until;

use crate::feed::{Feed, check, events, settings};
use crate::packages;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The cluster, and what happens to it.
struct Cluster {
    _process: Running,
    orders: ChildStdin,
    brokers: String,
    count: usize,
    next: Instant,
}

impl Cluster {
    /// How often something happens.
    const MOST: usize = 12;

    fn start(root: &Path) -> Self {
        let mut process = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/siem/broker.py"))
            .arg(packages::libraries(root).join("librdkafka.so.1"))
            .env("LD_LIBRARY_PATH", packages::libraries(root))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the cluster");
        let orders = process.stdin.take().expect("as the test made it");
        let output = process.stdout.take().expect("as the test made it");
        let mut brokers = String::new();
        BufReader::new(output)
            .read_line(&mut brokers)
            .expect("its brokers");
        Self {
            _process: Running(process),
            orders,
            brokers: brokers.trim().to_owned(),
            count: 0,
            next: Instant::now(),
        }
    }

    fn order(&mut self, word: &str) {
        writeln!(self.orders, "{word}").expect("the cluster takes orders");
    }

    fn trouble(&mut self) {
        if Instant::now() < self.next || self.count >= Self::MOST {
            return;
        }
        match self.count % 3 {
            0 => {
                self.order("down");
                std::thread::sleep(Duration::from_millis(300));
                self.order("up");
            }
            1 => {
                self.order("slow");
                std::thread::sleep(Duration::from_millis(500));
                self.order("fast");
            }
            _ => self.order("refuse"),
        }
        self.count += 1;
        self.next = Instant::now() + Duration::from_millis(200);
    }
}

/// The ids that the consumer has written so far, as the headers have them.
fn arrived(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let ids = text.split_inclusive('\n').filter_map(|line| {
        let (headers, event) = line.strip_suffix('\n')?.split_once(' ')?;
        let event: serde_json::Value = serde_json::from_str(event).expect("a whole event");
        let id = headers.strip_prefix("id=").expect("the id");
        assert_eq!(event["id"], id);
        Some(id.to_owned())
    });
    ids.collect()
}

#[test]
fn every_event_arrives_in_the_order_of_its_session() {
    let Some(root) = packages::or_skip(&["kcat"]) else {
        return;
    };
    let dir = tempfile::tempdir().expect("as the test made it");
    let mut cluster = Cluster::start(&root);
    let file = dir.path().join("out");
    let consumer = Command::new(root.join("usr/bin/kcat"))
        .env("LD_LIBRARY_PATH", packages::libraries(&root))
        .args([
            "-C",
            "-u",
            "-q",
            "-E",
            "-t",
            "agents",
            "-o",
            "beginning",
            "-f",
            "%h %s\\n",
        ])
        .args(["-X", "allow.auto.create.topics=false", "-b", &cluster.brokers])
        .stdout(std::fs::File::create(&file).expect("as the test made it"))
        .stderr(Stdio::null())
        .spawn();
    let _consumer = Running(consumer.expect("start the consumer"));
    let feed = Feed::start(&settings(DestinationSettings::Kafka(KafkaSettings {
        brokers: vec![cluster.brokers.clone()],
        topic: "agents".into(),
        tls_wanted: false,
        tls: TlsSettings::default(),
        user: None,
    })));
    let status = feed.finish(|| cluster.trouble());
    eprintln!(
        "kafka: down, slow or refusing {} times, {} retries",
        cluster.count, status.retries
    );
    let all = wait_until(Duration::from_secs(60), || {
        let different: HashSet<String> = arrived(&file).into_iter().collect();
        different.len() as u64 == events()
    });
    let ids = arrived(&file);
    assert!(all, "{} of {} events arrived", ids.len(), events());
    for session in 0..8 {
        let mut seen = HashSet::new();
        let number = |id: &&String| id[10..].parse::<u64>().expect("as the test made it") % 8 == session;
        let first: Vec<&String> = ids
            .iter()
            .filter(number)
            .filter(|id| seen.insert((*id).clone()))
            .collect();
        assert!(first.is_sorted(), "session {session} is in order");
    }
    let mut sorted = ids;
    sorted.sort();
    eprintln!("kafka: {} events twice", check(&sorted, 0));
}
