//! `cargo xtask load`: a busy session for minutes, and what the daemon loses and uses meanwhile.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::{Value, json};

use crate::bench::daemon::Daemon;
use crate::bench::load::Load;
use crate::bench::stage::{Stage, Turn};
use crate::bench::targets::Target;
use crate::bench::{load, machine, report, scopes, usage};
use crate::{build, process};

/// How often the daemon's memory is read.
const EVERY: Duration = Duration::from_secs(1);
/// How long exporters get to deliver the rest.
const AFTERMATH: Duration = Duration::from_secs(60);
/// Memory that is no growth: a page more here and there, MiB.
const TOLERANCE: f64 = 1.0;
/// The share of what was asked for that the session has to reach.
const REACHED: f64 = 0.95;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    seconds: u64,
    acts: u64,
    cuts: u64,
}

impl Wish {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let mut wish = Self {
            seconds: 600,
            acts: 20_000,
            cuts: 200,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = match *word {
                "--seconds" => &mut wish.seconds,
                "--acts" => &mut wish.acts,
                "--cuts" => &mut wish.cuts,
                other => return Err(format!("load has no option {other}: --seconds, --acts, --cuts N")),
            };
            let number = words.next().and_then(|number| number.parse().ok());
            *value = number
                .filter(|number| *number > 0)
                .ok_or_else(|| format!("{word} needs a number"))?;
        }
        Ok(wish)
    }
}

/// What was seen of the daemon while the session worked.
struct Watched {
    /// Memory of its processes each second, MiB.
    memory: Vec<f64>,
    /// Processor seconds.
    processor: f64,
    /// What the session did: acts, cuts, seconds.
    done: (u64, u64, f64),
}

/// Runs it in the checkout at `root`; writes `target/bench/load.{json,md}`.
///
/// # Errors
/// A sentence, when it could not be measured, or a target was missed.
pub fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let wish = Wish::parse(words)?;
    if !process::is_root()? {
        return Err("the load test loads programs into the kernel: run it as root".to_owned());
    }
    let binary = match env::var_os(build::BINARY_ENV) {
        Some(binary) => binary.into(),
        None => build::release(root)?,
    };
    let (stage, load) = (Stage::build()?, Load::build(root)?);
    let scope = scopes::cuts(&stage);
    let directory = stage.in_memory("busy")?;
    let _turn = Turn::take()?;
    let (sink, http, tcp) = sink(&load)?;
    stage.declare(Some(&scope))?;
    stage.write("daemon.toml", &settings(&stage, http, tcp))?;
    let daemon = Daemon::start(&binary, &stage)?;
    let before = daemon.counts()?;
    let mut session = daemon.inside(&scope, &load);
    session
        .arg("steady")
        .arg(directory.path())
        .args([wish.acts, wish.cuts, wish.seconds].map(|number| number.to_string()));
    let session = session
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run the session: {error}"))?;
    let watched = watch(&daemon, session)?;
    let exporters = settle(&daemon)?;
    let losses = daemon.losses()?;
    let cuts = daemon.counts()?.saturating_sub(before);
    daemon.end()?;
    drop(sink);
    let (whole, text, missed) = judge(wish, &watched, &exporters, &losses, cuts);
    let folder = build::target_directory(root).join("bench");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("load.json"), format!("{whole:#}\n")))
        .and_then(|()| fs::write(folder.join("load.md"), &text))
        .map_err(|error| format!("cannot write into {}: {error}", folder.display()))?;
    println!("{text}\n{whole}");
    if missed > 0 {
        return Err(format!("{missed} targets were missed"));
    }
    Ok(())
}

/// A program that takes what is sent, and its ports for HTTP and TCP. It ends with its input.
fn sink(load: &Load) -> Result<(Sink, u64, u64), String> {
    let cannot = |error: std::io::Error| format!("cannot start the receivers: {error}");
    let mut child = load
        .outside()
        .arg("sink")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    let output = child.stdout.take().ok_or("the receivers have no output")?;
    let sink = Sink(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).map_err(cannot)?;
    match load::numbers(line.trim_end(), "listening")?[0][..] {
        [http, tcp] => Ok((sink, http, tcp)),
        _ => Err(format!("the receivers said {line}")),
    }
}

/// The receivers; they end with the value.
struct Sink(Child);

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Both fail, and rightly so, where it has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The settings of the stage, with three exporters.
fn settings(stage: &Stage, http: u64, tcp: u64) -> String {
    format!(
        "{}\
         [[export]]\nname = \"file\"\nfrom = \"oldest\"\n[export.file]\npath = {:?}\nmax-size = \"50MiB\"\nkeep = 2\n\
         [[export]]\nname = \"otlp\"\nfrom = \"oldest\"\nformat = \"ecs\"\n[export.otlp]\nurl = \"http://127.0.0.1:{http}/v1/logs\"\n\
         [[export]]\nname = \"syslog\"\nfrom = \"oldest\"\nformat = \"cef\"\n[export.syslog]\naddress = \"127.0.0.1:{tcp}\"\n\
         transport = \"tcp\"\n",
        stage.paths(),
        stage.path("files/events.ndjson"),
    )
}

/// Reads the daemon's memory until the session ends.
fn watch(daemon: &Daemon, mut session: Child) -> Result<Watched, String> {
    let cannot = |error: std::io::Error| format!("cannot wait for the session: {error}");
    let family = usage::family(daemon.pid())?;
    let started = usage::processor_seconds(&family)?;
    let mut memory = Vec::new();
    let begun = Instant::now();
    while session.try_wait().map_err(cannot)?.is_none() {
        memory.push(usage::memory(&family)?.iter().sum());
        let next = EVERY.saturating_mul(u32::try_from(memory.len()).unwrap_or(u32::MAX));
        thread::sleep(next.saturating_sub(begun.elapsed()));
    }
    let processor = usage::processor_seconds(&family)? - started;
    let output = session.wait_with_output().map_err(cannot)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match load::numbers(said.trim_end(), "steady")?[0][..] {
        [acts, cuts, nanos] => Ok(Watched {
            memory,
            processor,
            done: (acts, cuts, nanos as f64 / 1e9),
        }),
        _ => Err(format!("the session said {said}")),
    }
}

/// Waits until every exporter has delivered what the store has, and says how each is doing.
fn settle(daemon: &Daemon) -> Result<Vec<Value>, String> {
    let begun = Instant::now();
    loop {
        let status = daemon.exporters()?;
        let done = status.iter().all(|one| one["lag_events"] == 0);
        if done || begun.elapsed() > AFTERMATH {
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(500));
    }
}

/// JSON, a table, and how many targets were missed.
fn judge(
    wish: Wish,
    watched: &Watched,
    exporters: &[Value],
    losses: &[(String, u64)],
    cuts: u64,
) -> (Value, String, usize) {
    let (acts_done, cuts_done, seconds) = watched.done;
    let quarters = quarters(&watched.memory);
    let share = watched.processor / seconds * 100.0;
    let lost: u64 = losses.iter().map(|(_, count)| count).sum();
    let least = |count: u64| (count * wish.seconds) as f64 * REACHED;
    let mut targets = vec![
        Target::at_most("events lost", lost as f64, 0.0, 0, ""),
        Target::all("cuts that are counted", cuts, cuts_done),
        Target::at_most(
            "memory of the last quarter over that of the second",
            quarters[3] - quarters[1],
            TOLERANCE,
            2,
            " MiB",
        ),
        Target::at_most(
            "acts and cuts short of 95 % of what was asked for",
            (least(wish.acts) - acts_done as f64).max(0.0) + (least(wish.cuts) - cuts_done as f64).max(0.0),
            0.0,
            0,
            "",
        ),
    ];
    let count = |one: &Value, name: &str| one["totals"][name].as_u64().unwrap_or(0);
    let rows: Vec<Vec<String>> = exporters
        .iter()
        .map(|one| {
            let name = one["name"].as_str().unwrap_or_default().to_owned();
            let lost =
                count(one, "refused") + count(one, "given_up") + one["lag_events"].as_u64().unwrap_or(0);
            targets.push(Target::at_most(
                &format!("events that {name} did not deliver"),
                lost as f64,
                0.0,
                0,
                "",
            ));
            let delivered = count(one, "delivered");
            vec![
                name,
                delivered.to_string(),
                one["bytes"].to_string(),
                one["retries"].to_string(),
            ]
        })
        .collect();
    let missed = targets.iter().filter(|target| !target.met).count();
    let machine = machine::describe();
    let whole = json!({
        "schema": "scopeward.load/1",
        "machine": machine,
        "asked": { "seconds": wish.seconds, "acts_per_second": wish.acts, "cuts_per_second": wish.cuts },
        "done": { "seconds": seconds, "acts": acts_done, "cuts": cuts_done, "cuts_counted": cuts },
        "losses": losses.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "processor": { "seconds": watched.processor, "percent_of_one": share },
        "memory_mib": { "quarters": quarters, "samples": watched.memory },
        "exporters": exporters,
        "targets": targets.iter().map(Target::json).collect::<Vec<_>>(),
    });
    let memory: Vec<String> = quarters
        .iter()
        .map(|mebibytes| format!("{mebibytes:.1}"))
        .collect();
    let listed = report::list(
        "a busy session",
        &[
            (
                "asked for",
                format!(
                    "{} acts and {} cuts a second for {} s",
                    wish.acts, wish.cuts, wish.seconds
                ),
            ),
            (
                "done",
                format!(
                    "{acts_done} acts ({:.0}/s), {cuts_done} cuts ({:.0}/s) in {seconds:.1} s",
                    acts_done as f64 / seconds,
                    cuts_done as f64 / seconds
                ),
            ),
            (
                "processor of daemon and watchdog",
                format!("{:.1} s, {share:.1} % of one", watched.processor),
            ),
            (
                "memory by quarters (mean RSS)",
                format!("{} MiB", memory.join(", ")),
            ),
        ],
    );
    let header = ["exporter", "delivered", "bytes", "retries"].map(str::to_owned);
    let table = report::table(&header, &rows);
    let text = report::markdown(
        &machine,
        false,
        &targets.iter().collect::<Vec<_>>(),
        &[&listed, "", &table],
    )
    .replacen(
        "# Bench\n\n`cargo xtask bench`",
        "# Load\n\n`cargo xtask load`",
        1,
    );
    (whole, text, missed)
}

/// The mean of each quarter.
fn quarters(samples: &[f64]) -> [f64; 4] {
    let length = samples.len();
    [0, 1, 2, 3].map(|quarter| {
        let part = &samples[length * quarter / 4..length * (quarter + 1) / 4];
        part.iter().sum::<f64>() / part.len().max(1) as f64
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Watched, Wish, judge, quarters};

    const WISH: Wish = Wish {
        seconds: 10,
        acts: 100,
        cuts: 10,
    };

    fn watched(last: f64) -> Watched {
        Watched {
            memory: vec![10.0, 20.0, 20.0, last],
            processor: 1.0,
            done: (1_000, 100, 10.0),
        }
    }

    #[test]
    fn options_are_read() {
        assert_eq!(
            Wish::parse(&["--seconds", "10", "--acts", "100", "--cuts", "10"]),
            Ok(WISH)
        );
        assert!(Wish::parse(&["--seconds"]).is_err() && Wish::parse(&["--seconds", "0"]).is_err());
    }

    #[test]
    fn each_quarter_has_its_mean() {
        assert_eq!(
            quarters(&[1.0, 3.0, 2.0, 2.0, 5.0, 5.0, 8.0, 10.0]),
            [2.0, 2.0, 5.0, 9.0]
        );
    }

    #[test]
    fn growth_a_loss_and_what_waits_are_each_a_miss() {
        let fine =
            [json!({"name": "file", "lag_events": 0, "totals": {"delivered": 5}, "bytes": 1, "retries": 0})];
        let behind =
            [json!({"name": "file", "lag_events": 3, "totals": {"delivered": 2}, "bytes": 1, "retries": 0})];
        assert_eq!(judge(WISH, &watched(20.0), &fine, &[], 100).2, 0);
        assert_eq!(judge(WISH, &watched(22.0), &fine, &[], 100).2, 1);
        assert_eq!(
            judge(WISH, &watched(20.0), &fine, &[("open".to_owned(), 1)], 100).2,
            1
        );
        assert_eq!(judge(WISH, &watched(20.0), &fine, &[], 99).2, 1);
        assert_eq!(judge(WISH, &watched(20.0), &behind, &[], 100).2, 1);
    }
}
