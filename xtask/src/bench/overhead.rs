//! What each act costs with the monitor, against the same act without one, in turns.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::bench::load::{self, Acts};
use crate::bench::ratios::{Ratios, Setting};
use crate::bench::scopes::{self, Scope};
use crate::bench::stage::Turn;
use crate::bench::{Bench, Found, machine};
use crate::process;

/// How often a sample is repeated because others loaded programs meanwhile.
const ATTEMPTS: usize = 5;

/// # Errors
/// A sentence, when the daemon or a session does not work.
pub fn measure(bench: &Bench) -> Result<Found, String> {
    let [few, many] = bench.plan.rules;
    let (few, many) = (
        scopes::rules(&bench.stage, few)?,
        scopes::rules(&bench.stage, many)?,
    );
    bench.load.tiny(&bench.stage)?;
    let mut ratios = Ratios::new(bench.plan.patience);
    for round in 0..bench.plan.rounds {
        eprintln!("bench: round {} of {}", round + 1, bench.plan.rounds);
        let _turn = Turn::take()?;
        let mut before = without(bench, &mut ratios)?;
        let mut with = |ratios: &mut Ratios, found: Vec<(Setting, Acts)>| {
            let after = without(bench, ratios)?;
            for (setting, acts) in found {
                ratios.add(setting, &before, &acts, &after);
            }
            before = after;
            Ok::<(), String>(())
        };
        let found = empty_programs(bench, &mut ratios)?;
        with(&mut ratios, found)?;
        let found = idle_daemon(bench, &mut ratios)?;
        with(&mut ratios, found)?;
        for (scope, settings) in [
            (&few, [Setting::FewRules, Setting::InsideFew]),
            (&many, [Setting::ManyRules, Setting::InsideMany]),
        ] {
            let found = held(bench, scope, settings, &mut ratios)?;
            with(&mut ratios, found)?;
        }
        let found = vec![(
            Setting::Control,
            sample(bench, None, &|| bench.load.outside(), &mut ratios)?,
        )];
        with(&mut ratios, found)?;
    }
    Ok(ratios.found(&bench.plan))
}

/// A sample with no monitor at all.
fn without(bench: &Bench, ratios: &mut Ratios) -> Result<Acts, String> {
    let acts = sample(bench, None, &|| bench.load.outside(), ratios)?;
    ratios.add_baseline(&acts);
    Ok(acts)
}

/// A sample while programs that do nothing are attached where ours would be.
fn empty_programs(bench: &Bench, ratios: &mut Ratios) -> Result<Vec<(Setting, Acts)>, String> {
    let cannot = |error| format!("cannot attach the empty programs: {error}");
    let mut command = bench.load.outside();
    command.arg("empty").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = command.spawn().map_err(cannot)?;
    let mut line = String::new();
    if let Some(output) = holder.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(cannot)?;
    }
    let acts = (line == "ready\n")
        .then(|| sample(bench, Some(holder.id()), &|| bench.load.outside(), ratios))
        .ok_or("the empty programs cannot be attached");
    drop(holder.stdin.take());
    holder.wait().map_err(cannot)?;
    Ok(vec![(Setting::Empty, acts??)])
}

fn idle_daemon(bench: &Bench, ratios: &mut Ratios) -> Result<Vec<(Setting, Acts)>, String> {
    let daemon = bench.daemon(None)?;
    let acts = sample(bench, Some(daemon.pid()), &|| bench.load.outside(), ratios)?;
    daemon.end()?;
    Ok(vec![(Setting::Idle, acts)])
}

/// A sample outside sessions while others are held, and one in a session.
fn held(
    bench: &Bench,
    scope: &Scope,
    [outside, inside]: [Setting; 2],
    ratios: &mut Ratios,
) -> Result<Vec<(Setting, Acts)>, String> {
    let daemon = bench.daemon(Some(scope))?;
    let sessions = daemon.sessions(scope, &bench.load, bench.plan.sessions)?;
    let own = Some(daemon.pid());
    let found = vec![
        (outside, sample(bench, own, &|| bench.load.outside(), ratios)?),
        (
            inside,
            sample(bench, own, &|| daemon.inside(scope, &bench.load), ratios)?,
        ),
    ];
    sessions.end()?;
    daemon.end()?;
    Ok(found)
}

/// A sample of `load`, wherever that runs, during which nobody but `own` traced the kernel, if that can be had.
fn sample(
    bench: &Bench,
    own: Option<u32>,
    load: &dyn Fn() -> Command,
    ratios: &mut Ratios,
) -> Result<Acts, String> {
    for _ in 0..ATTEMPTS {
        if !machine::wait_until_untraced(own, &mut ratios.patience) {
            break;
        }
        let acts = disturbed_sample(bench, load())?;
        if machine::tracers(own).unwrap_or(0) == 0 {
            return Ok(acts);
        }
    }
    ratios.disturbed += 1;
    disturbed_sample(bench, load())
}

fn disturbed_sample(bench: &Bench, mut load: Command) -> Result<Acts, String> {
    load.arg("acts").arg(bench.plan.core.to_string());
    load.arg(bench.plan.sample.as_millis().to_string());
    load.arg(bench.stage.path("files/plain"))
        .arg(bench.stage.path("files/tiny"));
    load::acts(&process::read(&mut load)?)
}
