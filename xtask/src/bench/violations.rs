//! A flood of cuts in a session: each is counted, and the first of each rule and object is recorded.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::daemon::Daemon;
use crate::bench::stage::Turn;
use crate::bench::targets::Target;
use crate::bench::{Bench, Found, load, report, scopes};

/// Files, and as many endpoints.
const OBJECTS: usize = 50;
/// How long counts and events may take to arrive.
const AFTERMATH: Duration = Duration::from_secs(2);

/// # Errors
/// A sentence, when the daemon or the session does not work.
pub fn measure(bench: &Bench) -> Result<Found, String> {
    let directory = bench.stage.path("cuts");
    for number in 0..OBJECTS {
        let path = directory.join(format!("violation-{number:08}.flagged"));
        fs::write(&path, "x").map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let scope = scopes::cuts(&bench.stage);
    let _turn = Turn::take()?;
    let daemon = bench.daemon(Some(&scope))?;
    let cannot = |error: std::io::Error| format!("cannot run the session: {error}");
    let began = Instant::now();
    let mut session = daemon
        .inside(&scope, &bench.load)
        .arg("violate")
        .arg(&directory)
        .args([OBJECTS.to_string(), bench.plan.violations.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    let mut answer = String::new();
    let output = session.stdout.take().ok_or("the session has no output")?;
    BufReader::new(output).read_line(&mut answer).map_err(cannot)?;
    let took = began.elapsed();
    let counted = load::numbers(answer.trim_end(), "attempted").and_then(|attempted| {
        thread::sleep(AFTERMATH);
        Ok((
            attempted,
            counts(&daemon)?,
            daemon.ask(&["events", "--limit", "0"])?,
            daemon.losses()?,
        ))
    });
    drop(session.stdin.take());
    session.wait().map_err(cannot)?;
    let (attempted, cuts, events, losses) = counted?;
    daemon.end()?;

    let [opened, refused, connected] = attempted[0][..] else {
        return Err(format!("the workload said {answer}"));
    };
    let attempts = opened + refused + connected;
    let (firsts, recorded) = recorded(&events);
    let rate = attempts as f64 / took.as_secs_f64();
    let text = format!(
        "## A flood of violations in a session\n\n{}",
        report::list(
            "cuts",
            &[
                (
                    "attempts",
                    format!("{attempts} in {:.1} s, {rate:.0} a second", took.as_secs_f64())
                ),
                ("counted in the session", cuts.to_string()),
                (
                    "connects that went through",
                    format!("{connected} of {}", refused + connected)
                ),
                (
                    "objects with a recorded first cut",
                    format!("{firsts} of {}", 2 * OBJECTS)
                ),
                ("records of cuts", recorded.to_string()),
                (
                    "not recorded, and counted as such",
                    losses
                        .iter()
                        .map(|(hook, count)| format!("{hook} {count}"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            ]
        )
    );
    Ok(Found {
        figures: json!({
            "attempts": attempts, "seconds": took.as_secs_f64(), "counted": cuts, "connected": connected, "refused": refused,
            "objects": 2 * OBJECTS, "firsts": firsts, "records": recorded,
            "losses": losses.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        }),
        text,
        targets: vec![
            Target::all("cuts of a flood that are counted", cuts, attempts),
            Target::all(
                "first cuts of a flood that are recorded",
                firsts,
                2 * OBJECTS as u64,
            ),
            Target::all(
                "connects of a flood that are refused",
                refused,
                refused + connected,
            ),
        ],
    })
}

/// The cuts of all sessions.
fn counts(daemon: &Daemon) -> Result<u64, String> {
    let sessions = daemon.ask(&["sessions"])?;
    Ok(sessions
        .iter()
        .map(|session| session["cuts"].as_u64().unwrap_or(0))
        .sum())
}

/// Over how many objects there is a record of a cut, and how many records there are.
fn recorded(events: &[Value]) -> (u64, usize) {
    let cuts: Vec<&Value> = events
        .iter()
        .filter(|event| event["verdict"]["called_for"] != "allow")
        .collect();
    let objects: BTreeSet<String> = cuts
        .iter()
        .map(|event| {
            let act = &event["act"];
            format!("{} {} {}", event["verdict"]["rule"], act["path"], act["address"])
        })
        .collect();
    (objects.len() as u64, cuts.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::recorded;

    #[test]
    fn objects_are_told_apart_and_what_is_allowed_does_not_count() {
        let event = |word: &str, path: &str| json!({ "verdict": { "called_for": word, "rule": "r" }, "act": { "path": path } });
        let events = [
            event("flag", "/a"),
            event("flag", "/a"),
            event("deny", "/b"),
            event("allow", "/c"),
        ];
        assert_eq!(recorded(&events), (2, 3));
    }
}
