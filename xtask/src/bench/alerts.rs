//! From the system call to the event at the command line.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::bench::stage::Turn;
use crate::bench::statistics::Spread;
use crate::bench::targets::Target;
use crate::bench::{Bench, Found, load, report, scopes};
use crate::process;

/// Between two cuts, µs.
const GAP: u64 = 3_000;
/// What the follower gets to begin, and the last events to arrive.
const AFTERMATH: Duration = Duration::from_secs(1);

/// # Errors
/// A sentence, when the daemon, the follower or the session does not work.
pub fn measure(bench: &Bench) -> Result<Found, String> {
    let directory = bench.stage.path("cuts");
    for number in 0..bench.plan.alerts {
        let path = directory.join(name(number));
        fs::write(&path, "x").map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let scope = scopes::cuts(&bench.stage);
    let _turn = Turn::take()?;
    let daemon = bench.daemon(Some(&scope))?;
    let cannot = |error: std::io::Error| format!("cannot follow the events: {error}");
    let mut follow = daemon.command();
    follow.args(["events", "--follow", "--json", "--verdict", "flag"]);
    let mut follower = Follower(follow.stdout(Stdio::piped()).spawn().map_err(cannot)?);
    let output = follower.0.stdout.take().ok_or("the follower has no output")?;
    let arrivals = thread::spawn(move || {
        let mut arrivals = Vec::new();
        let mut lines = BufReader::new(output).lines();
        while let Some(Ok(line)) = lines.next() {
            arrivals.push((SystemTime::now(), line));
        }
        arrivals
    });
    thread::sleep(AFTERMATH);
    let mut session = daemon.inside(&scope, &bench.load);
    session.arg("alerts").arg(&directory);
    let text = process::read(session.args([bench.plan.alerts.to_string(), GAP.to_string()]))?;
    thread::sleep(AFTERMATH);
    drop(follower);
    let arrivals = arrivals.join().map_err(|_| "the follower's reader failed")?;
    daemon.end()?;

    let called = load::numbers(&text, "alert")?;
    let arrived = by_name(&arrivals);
    let nanos: Vec<f64> = called
        .iter()
        .enumerate()
        .filter_map(|(number, time)| Some(*arrived.get(&name(number))? - time[0] as f64))
        .collect();
    let spread = Spread::of(&nanos).ok_or("no event arrived at the follower")?;
    let text = format!(
        "## From the call to the command line\n\nFrom just before the call to its line of `scopeward events --follow --json` at \
         the reader, {} ms apart.\n\n{}",
        GAP / 1_000,
        report::list(
            "cuts",
            &[
                ("made", called.len().to_string()),
                ("arrived", nanos.len().to_string()),
                ("median", report::nanos(spread.median)),
                ("p99", report::nanos(spread.p99)),
                ("greatest", report::nanos(spread.max)),
            ]
        )
    );
    let milliseconds = spread.times(1e-6);
    Ok(Found {
        figures: json!({ "made": called.len(), "arrived": nanos.len(), "milliseconds": milliseconds.json() }),
        text,
        targets: vec![
            Target::all(
                "cuts that arrive at the command line",
                nanos.len() as u64,
                called.len() as u64,
            ),
            Target::at_most("call to command line, median", milliseconds.median, 0.5, 3, " ms"),
            Target::at_most("call to command line, p99", milliseconds.p99, 3.0, 3, " ms"),
        ],
    })
}

/// The name of the file with that number, as `load` has it.
fn name(number: usize) -> String {
    format!("alert-{number:08}.flagged")
}

/// Nanoseconds since 1970 at which the first line about each file arrived.
fn by_name(arrivals: &[(SystemTime, String)]) -> BTreeMap<String, f64> {
    let mut by_name = BTreeMap::new();
    for (time, line) in arrivals {
        let event: Value = serde_json::from_str(line).unwrap_or_default();
        let Some(name) = event["act"]["path"]
            .as_str()
            .and_then(|path| path.rsplit('/').next())
        else {
            continue;
        };
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        by_name.entry(name.to_owned()).or_insert(since.as_nanos() as f64);
    }
    by_name
}

/// `scopeward events --follow`; ended with the value.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        // Both fail, and rightly so, where it has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::by_name;

    #[test]
    fn the_first_line_about_a_file_counts() {
        let at = |nanos, path| {
            (
                UNIX_EPOCH + Duration::from_nanos(nanos),
                format!("{{\"act\":{{\"path\":\"{path}\"}}}}"),
            )
        };
        let found = by_name(&[
            at(5, "/x/alert-1"),
            at(9, "/x/alert-1"),
            (UNIX_EPOCH, "no json".to_owned()),
        ]);
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("alert-1".to_owned(), 5.0)]
        );
    }
}
