//! The metrics: what Prometheus would make of them, and who may read them.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use scopeward_tests::daemon::Daemon;
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

/// One value: its name, its labels, itself.
type Sample = (String, BTreeMap<String, String>, f64);

/// Reads the text format 0.0.4 strictly: every value belongs to a family that was declared just before it, once.
fn parse(text: &str) -> Result<Vec<Sample>, String> {
    let (mut samples, mut families): (Vec<Sample>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    let mut helped: Option<String> = None;
    if !text.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    for line in text.lines() {
        let wrong = || format!("not understood: {line:?}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            helped = Some(help.split_once(' ').ok_or_else(wrong)?.0.to_owned());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').ok_or_else(wrong)?;
            if helped.as_deref() != Some(name) || families.iter().any(|(known, _)| known == name) {
                return Err(format!("no help before it, or declared twice: {line:?}"));
            }
            if !["counter", "gauge", "histogram"].contains(&kind) {
                return Err(wrong());
            }
            families.push((name.to_owned(), kind.to_owned()));
        } else {
            let sample = sample(line).ok_or_else(wrong)?;
            let (family, kind) = families.last().ok_or_else(wrong)?;
            let part = sample.0.strip_prefix(family.as_str()).ok_or_else(wrong)?;
            let fits = match kind.as_str() {
                "histogram" => ["_bucket", "_sum", "_count"].contains(&part),
                "counter" => part.is_empty() && family.ends_with("_total"),
                _ => part.is_empty(),
            };
            let twice = samples
                .iter()
                .any(|(name, labels, _)| (name, labels) == (&sample.0, &sample.1));
            if !fits || twice || (kind == "counter" && sample.2 < 0.0) {
                return Err(format!("not of its family {family} ({kind}), or twice: {line:?}"));
            }
            samples.push(sample);
        }
    }
    Ok(samples)
}

fn sample(line: &str) -> Option<Sample> {
    let name_end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))?;
    let (name, mut rest) = line.split_at(name_end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"")?;
            if label.is_empty() || !label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return None;
            }
            let mut value = String::new();
            let mut characters = after.char_indices();
            let end = loop {
                match characters.next()? {
                    (at, '"') => break at,
                    (_, '\\') => value.push(match characters.next()?.1 {
                        'n' => '\n',
                        character @ ('\\' | '"') => character,
                        _ => return None,
                    }),
                    (_, character) => value.push(character),
                }
            };
            labels.insert(label.to_owned(), value);
            rest = &after[end + 1..];
            match rest.split_at_checked(1)? {
                (",", more) => rest = more,
                ("}", more) => {
                    rest = more;
                    break;
                }
                _ => return None,
            }
        }
    }
    let value = rest.strip_prefix(' ')?.parse().ok()?;
    Some((name.to_owned(), labels, value))
}

/// Status line and body of `GET /metrics`.
fn get(mut stream: impl std::io::Read + std::io::Write) -> (String, String) {
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: scopeward\r\nConnection: close\r\n\r\n")
        .expect("ask");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read the answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(
        !head.contains("200 OK") || head.contains("text/plain; version=0.0.4"),
        "{head}"
    );
    (
        head.lines().next().unwrap_or_default().to_owned(),
        body.to_owned(),
    )
}

#[test]
fn they_parse_and_say_what_a_session_did() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("find a free port");
    let settings = std::fs::read_to_string(scratch.path("daemon.toml")).expect("read the settings");
    scratch
        .write(
            "daemon.toml",
            format!("{settings}[metrics]\nlisten = \"{port}\"\n"),
        )
        .expect("write the settings");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let scope = scratch
        .write(
            "scope.toml",
            scope::guarding(std::slice::from_ref(&guarded), "kill"),
        )
        .expect("write the scope");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let script = format!("for i in 1 2 3; do cat {}; done; true", guarded.display());
    Session::new(&scratch, &scope)
        .run(&["sh", "-c", &script])
        .expect("run a session");
    let socket = scratch.path("run/scopeward.sock");
    let read = || {
        let (status, body) = get(UnixStream::connect(&socket).expect("connect"));
        assert!(status.contains("200"), "{status} {body}");
        parse(&body).unwrap_or_else(|error| panic!("{error}\n{body}"))
    };
    let sum = |samples: &[Sample], name: &str, labels: &[(&str, &str)]| -> f64 {
        samples
            .iter()
            .filter(|(of, with, _)| {
                of == name
                    && labels
                        .iter()
                        .all(|(label, value)| with.get(*label).is_some_and(|found| found == value))
            })
            .map(|(_, _, value)| value)
            .sum()
    };
    let mut samples = read();
    let told = wait_until(std::time::Duration::from_secs(10), || {
        samples = read();
        sum(&samples, "scopeward_cuts_total", &[("agent", "attacked")]) >= 3.0
            && sum(&samples, "scopeward_heartbeats_total", &[]) >= 1.0
    });
    assert!(told, "{samples:#?}");
    let killed = [
        ("applied", "kill"),
        ("rule", "files.rule[0]"),
        ("scope", "attacked"),
    ];
    let verdicts = sum(&samples, "scopeward_verdicts_total", &killed);
    assert!(verdicts >= 3.0, "{verdicts} verdicts: {samples:#?}");
    let count = sum(&samples, "scopeward_record_latency_seconds_count", &[]);
    let all = sum(
        &samples,
        "scopeward_record_latency_seconds_bucket",
        &[("le", "+Inf")],
    );
    assert!(count > 0.0 && (count - all).abs() < 0.5, "{count} {all}");
    assert!(sum(&samples, "process_cpu_seconds_total", &[]) > 0.0);
    assert!(sum(&samples, "process_resident_memory_bytes", &[]) > 1e6);
    // Its session ended without a containment: nothing is open, and the agent is known.
    let exposed = samples.iter().find(|(name, labels, _)| {
        name == "scopeward_exposure_open" && labels.get("agent").is_some_and(|agent| agent == "attacked")
    });
    assert!(exposed.is_some_and(|(_, _, open)| *open == 0.0), "{samples:#?}");
    let (status, body) = get(TcpStream::connect(port).expect("connect to the loopback address"));
    assert!(status.contains("200") && parse(&body).is_ok(), "{status} {body}");
    for metric in named_in_files() {
        // The parts of a histogram stand under its own name.
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|part| metric.strip_suffix(part))
            .unwrap_or(&metric);
        assert!(
            [family, &metric]
                .iter()
                .any(|name| body.contains(&format!("# TYPE {name} "))),
            "{metric} is named in the alert rules or the dashboard, and is no metric"
        );
    }
    daemon.stop().expect("stop");
}

/// Every metric that the alert rules and the dashboard name.
fn named_in_files() -> std::collections::BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = std::collections::BTreeSet::new();
    for file in [
        "monitor/package/scopeward.rules.yml",
        "docs/export/grafana-dashboard.json",
    ] {
        let text = std::fs::read_to_string(root.join(file)).expect("read a file of this checkout");
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        names.extend(
            words
                .filter(|word| word.starts_with("scopeward_") && word.len() > 10)
                .map(str::to_owned),
        );
    }
    assert!(names.len() > 10, "{names:?}");
    names
}

#[test]
fn they_are_served_to_no_other_host() {
    if !require(&[Need::Scopeward]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    scratch
        .write("daemon.toml", "[metrics]\nlisten = \"0.0.0.0:9469\"\n")
        .expect("write the settings");
    let output = scratch.scopeward(&["daemon"]).output().expect("start");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("line 2") && said.contains("127.0.0.1"), "{said}");
}
