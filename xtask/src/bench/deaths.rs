//! From the system call to the death of the process that made it.

use std::fs;

use serde_json::{Map, Value, json};

use crate::bench::stage::Turn;
use crate::bench::statistics::Spread;
use crate::bench::targets::Target;
use crate::bench::{Bench, Found, load, report, scopes};
use crate::process;

/// # Errors
/// A sentence, when the daemon or a session does not work.
pub fn measure(bench: &Bench) -> Result<Found, String> {
    for file in ["cuts/named.killed", "cuts/guarded"] {
        bench.stage.write(file, "secret\n")?;
    }
    let scope = scopes::cuts(&bench.stage);
    let _turn = Turn::take()?;
    let daemon = bench.daemon(Some(&scope))?;
    let ways = [
        ("kills itself, outside", None),
        (
            "opens a name that is not to be opened",
            Some(bench.stage.path("cuts/named.killed")),
        ),
        ("opens a guarded file", Some(bench.stage.path("cuts/guarded"))),
    ];
    let (mut figures, mut rows, mut targets) = (Map::new(), Vec::new(), Vec::new());
    for (way, file) in ways {
        let mut command = if file.is_some() {
            daemon.inside(&scope, &bench.load)
        } else {
            bench.load.outside()
        };
        command.args([
            "deaths",
            &bench.plan.core.to_string(),
            &bench.plan.deaths.to_string(),
        ]);
        let text = process::read(command.args(&file))?;
        let count = |word| load::numbers(&text, word).map(|numbers| numbers[0][0]);
        let (survived, returned) = (count("survived")?, count("returned")?);
        let nanos: Vec<f64> = load::numbers(&text, "death")
            .unwrap_or_default()
            .iter()
            .map(|death| death[0] as f64)
            .collect();
        let spread = Spread::of(&nanos);
        if file.is_some() {
            let died = nanos.len() as u64;
            targets.push(Target::all(
                &format!("processes killed: {way}"),
                died,
                died + survived,
            ));
            targets.push(Target::at_most(
                &format!("calls that returned: {way}"),
                returned as f64,
                0.0,
                0,
                "",
            ));
        }
        rows.push(row(way, spread, survived, returned));
        let spread = spread.map_or(Value::Null, |spread| spread.json());
        figures.insert(
            way.to_owned(),
            json!({ "nanos": spread, "survived": survived, "returned": returned }),
        );
    }
    daemon.end()?;
    fs::remove_file(bench.stage.path("cuts/guarded"))
        .map_err(|error| format!("cannot remove the guarded file: {error}"))?;
    let header = [
        "a process",
        "median",
        "p99",
        "greatest",
        "died",
        "survived",
        "calls that returned",
    ];
    Ok(Found {
        figures: Value::Object(figures),
        text: format!(
            "## From the call to the death\n\nFrom just before the call to the parent's return from `waitpid`.\n\n{}",
            report::table(&header.map(str::to_owned), &rows)
        ),
        targets,
    })
}

fn row(way: &str, spread: Option<Spread>, survived: u64, returned: u64) -> Vec<String> {
    let figure = |of: fn(&Spread) -> f64| {
        spread
            .as_ref()
            .map_or_else(String::new, |spread| report::nanos(of(spread)))
    };
    vec![
        way.to_owned(),
        figure(|spread| spread.median),
        figure(|spread| spread.p99),
        figure(|spread| spread.max),
        spread.map_or(0, |spread| spread.count).to_string(),
        survived.to_string(),
        returned.to_string(),
    ]
}
