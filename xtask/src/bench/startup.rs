//! How long a daemon takes to hold the host, and a session to begin.

use std::process::Command;
use std::time::Instant;

use serde_json::json;

use crate::bench::scopes::Scope;
use crate::bench::stage::Turn;
use crate::bench::statistics::Spread;
use crate::bench::{Bench, Found, report, scopes};
use crate::process;

/// # Errors
/// A sentence, when the daemon or a session does not work.
pub fn measure(bench: &Bench) -> Result<Found, String> {
    let [few, many] = bench.plan.rules;
    let (small, large) = (
        scopes::rules(&bench.stage, few)?,
        scopes::rules(&bench.stage, many)?,
    );
    let tiny = bench.load.tiny(&bench.stage)?;
    let _turn = Turn::take()?;
    let (mut attach, mut ends) = (Vec::new(), Vec::new());
    let mut attach_large = Vec::new();
    for round in 0..bench.plan.starts {
        let daemon = bench.daemon(None)?;
        attach.push(daemon.ready_after.as_secs_f64() * 1e9);
        ends.push(timed(|| daemon.end())?);
        if round < 5 {
            let daemon = bench.daemon(Some(&large))?;
            attach_large.push(daemon.ready_after.as_secs_f64() * 1e9);
            daemon.end()?;
        }
    }
    let mut plain = Vec::new();
    let mut runs = [Vec::new(), Vec::new()];
    for (scope, runs) in [&small, &large].into_iter().zip(&mut runs) {
        let daemon = bench.daemon(Some(scope))?;
        for _ in 0..bench.plan.starts {
            plain.push(timed(|| process::run(&mut Command::new(&tiny)))?);
            runs.push(timed(|| process::run(&mut run(&daemon, scope, &tiny)))?);
        }
        daemon.end()?;
    }
    let rows = [
        ("daemon: start to the first answer", attach),
        ("the same, with the large scope", attach_large),
        ("daemon: SIGTERM to its end", ends),
        ("a program, plainly", plain),
        ("`scopeward run` of it, small scope", runs[0].clone()),
        ("the same, with the large scope", runs[1].clone()),
    ];
    let header = ["", "median", "least", "greatest", "times"].map(str::to_owned);
    let mut table = Vec::new();
    let mut figures = Vec::new();
    for (what, nanos) in rows {
        let spread = Spread::of(&nanos).ok_or("nothing was started")?;
        let cells = [spread.median, spread.min, spread.max].map(report::nanos);
        table.push(
            [&[what.to_owned()][..], &cells, &[spread.count.to_string()]]
                .concat()
                .clone(),
        );
        figures.push(json!({ "what": what, "milliseconds": spread.times(1e-6).json() }));
    }
    Ok(Found {
        figures: json!(figures),
        text: format!(
            "## Starting\n\nThe small scope has {few} rules, the large one {many}.\n\n{}",
            report::table(&header, &table)
        ),
        targets: Vec::new(),
    })
}

fn run(daemon: &crate::bench::daemon::Daemon, scope: &Scope, tiny: &std::path::Path) -> Command {
    let mut command = daemon.command();
    command.args(["run", "--scope", &scope.name, "--"]).arg(tiny);
    command
}

/// Nanoseconds that `action` takes.
fn timed(action: impl FnOnce() -> Result<(), String>) -> Result<f64, String> {
    let began = Instant::now();
    action()?;
    Ok(began.elapsed().as_secs_f64() * 1e9)
}
