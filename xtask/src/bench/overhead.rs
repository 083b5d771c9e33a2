//! What each act costs with the monitor, against the same act without one, in turns.

use crate::bench::daemon::Daemon;
use crate::bench::load::{self, Acts};
use crate::bench::ratios::{Ratios, Setting};
use crate::bench::scopes::{self, Scope};
use crate::bench::stage::Turn;
use crate::bench::{Bench, Found, machine};
use crate::process;

/// # Errors
/// A sentence, when the daemon or a session does not work.
pub fn measure(bench: &Bench) -> Result<Found, String> {
    let [few, many] = bench.plan.rules;
    let (few, many) = (
        scopes::rules(&bench.stage, few)?,
        scopes::rules(&bench.stage, many)?,
    );
    bench.load.tiny(&bench.stage)?;
    let mut ratios = Ratios::default();
    for round in 0..bench.plan.rounds {
        eprintln!("bench: round {} of {}", round + 1, bench.plan.rounds);
        let _turn = Turn::take()?;
        let mut before = without(bench, &mut ratios)?;
        let mut with = |bench: &Bench, ratios: &mut Ratios, found: Vec<(Setting, Acts)>| {
            let after = without(bench, ratios)?;
            for (setting, acts) in found {
                ratios.add(setting, &before, &acts, &after);
            }
            before = after;
            Ok::<(), String>(())
        };
        let found = idle_daemon(bench)?;
        with(bench, &mut ratios, found)?;
        for (scope, settings) in [
            (&few, [Setting::FewRules, Setting::InsideFew]),
            (&many, [Setting::ManyRules, Setting::InsideMany]),
        ] {
            let found = held(bench, scope, settings)?;
            with(bench, &mut ratios, found)?;
        }
        let found = vec![(Setting::Control, sample(bench, None)?)];
        with(bench, &mut ratios, found)?;
    }
    Ok(ratios.found(&bench.plan))
}

/// A sample with no monitor at all.
fn without(bench: &Bench, ratios: &mut Ratios) -> Result<Acts, String> {
    ratios.tracers = ratios.tracers.max(machine::tracers());
    let acts = sample(bench, None)?;
    ratios.add_baseline(&acts);
    Ok(acts)
}

fn idle_daemon(bench: &Bench) -> Result<Vec<(Setting, Acts)>, String> {
    let daemon = bench.daemon(None)?;
    let acts = sample(bench, None)?;
    daemon.end()?;
    Ok(vec![(Setting::Idle, acts)])
}

/// A sample outside sessions while others are held, and one in a session.
fn held(
    bench: &Bench,
    scope: &Scope,
    [outside, inside]: [Setting; 2],
) -> Result<Vec<(Setting, Acts)>, String> {
    let daemon = bench.daemon(Some(scope))?;
    let sessions = daemon.sessions(scope, &bench.load, bench.plan.sessions)?;
    let found = vec![
        (outside, sample(bench, None)?),
        (inside, sample(bench, Some((&daemon, scope)))?),
    ];
    sessions.end()?;
    daemon.end()?;
    Ok(found)
}

fn sample(bench: &Bench, session: Option<(&Daemon, &Scope)>) -> Result<Acts, String> {
    let mut command = match session {
        Some((daemon, scope)) => daemon.inside(scope, &bench.load),
        None => bench.load.outside(),
    };
    command.arg("acts").arg(bench.plan.core.to_string());
    command.arg(bench.plan.sample.as_millis().to_string());
    command
        .arg(bench.stage.path("files/plain"))
        .arg(bench.stage.path("files/tiny"));
    load::acts(&process::read(&mut command)?)
}
