//! How many events a second reach the store before the first is lost.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::bench::daemon::Daemon;
use crate::bench::stage::Turn;
use crate::bench::{Bench, Found, load, report, scopes};

/// New objects a second in the first step; each step doubles it.
const FIRST: u64 = 2_000;
/// The last step: more than one core can open.
const LAST: u64 = 512_000;
/// What the daemon gets to take in what was done.
const AFTERMATH: Duration = Duration::from_millis(500);

/// One step.
struct Step {
    /// New objects a second, as it came out.
    rate: f64,
    /// Lost events, by hook and reason.
    lost: Vec<(String, u64)>,
}

/// # Errors
/// A sentence, when the daemon or the session does not work.
pub fn measure(bench: &Bench) -> Result<Found, String> {
    let scope = scopes::rules(&bench.stage, bench.plan.rules[0])?;
    let directory = bench.stage.in_memory("new")?;
    let _turn = Turn::take()?;
    let daemon = bench.daemon(Some(&scope))?;
    let cannot = |error: std::io::Error| format!("cannot start the session: {error}");
    let mut session = daemon
        .inside(&scope, &bench.load)
        .arg("ramp")
        .arg(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    let steps = climb(bench, &daemon, &mut session);
    drop(session.stdin.take());
    session.wait().map_err(cannot)?;
    let steps = steps?;
    daemon.end()?;
    Ok(found(&steps))
}

fn climb(bench: &Bench, daemon: &Daemon, session: &mut Child) -> Result<Vec<Step>, String> {
    let mut orders = session.stdin.take().ok_or("the session has no input")?;
    let mut answers = BufReader::new(session.stdout.take().ok_or("the session has no output")?);
    let cannot = |error: std::io::Error| format!("the session does not obey: {error}");
    let mut steps: Vec<Step> = Vec::new();
    let mut rate = FIRST;
    while rate <= LAST {
        let count = rate * u64::try_from(bench.plan.step.as_millis()).unwrap_or(1_000) / 1_000;
        writeln!(orders, "{rate} {count}").map_err(cannot)?;
        let mut answer = String::new();
        answers.read_line(&mut answer).map_err(cannot)?;
        let made = load::numbers(answer.trim_end(), "made")?;
        let reached = made[0][0] as f64 / made[0][1] as f64 * 1e9;
        thread::sleep(AFTERMATH);
        let lost = daemon.losses()?;
        let (over, slower) = (!lost.is_empty(), reached < 0.8 * rate as f64);
        steps.push(Step { rate: reached, lost });
        if over || slower {
            break;
        }
        rate *= 2;
    }
    Ok(steps)
}

fn found(steps: &[Step]) -> Found {
    let whole = steps.iter().filter(|step| step.lost.is_empty());
    let best = whole.map(|step| step.rate).fold(0.0, f64::max);
    let first = steps.iter().find(|step| !step.lost.is_empty());
    let lost = |step: &Step| {
        let named: Vec<String> = step
            .lost
            .iter()
            .map(|(hook, count)| format!("{hook} {count}"))
            .collect();
        named.join(", ")
    };
    let text = format!(
        "## Until events are lost\n\n{}",
        report::list(
            "new objects opened in one session",
            &[
                ("most a second without a loss", format!("{best:.0}")),
                (
                    "first loss at",
                    first.map_or_else(
                        || "not reached: one core cannot open faster".to_owned(),
                        |step| format!("{:.0} a second: {}", step.rate, lost(step))
                    )
                ),
            ]
        )
    );
    let figures = json!({
        "lossless_per_second": best,
        "first_loss_per_second": first.map(|step| step.rate),
        "first_loss": first.map(|step| step.lost.iter().cloned().collect::<std::collections::BTreeMap<_, _>>()),
        "steps": steps.iter().map(|step| step.rate).collect::<Vec<_>>(),
    });
    Found {
        figures,
        text,
        targets: Vec::new(),
    }
}
