//! One recorded act, decided anew.

use crate::{
    decide::{
        applied::{applied, guarantee},
        evaluate::{Verdict, evaluate},
        facts::{Lacking, facts},
    },
    record::event::{EventRecord, VerdictRecord},
    scope::{
        capability::{Capabilities, Guarantee},
        effective::Effective,
        words::Response,
    },
};

/// The event with the verdict of `scope` in place of its own; `above` has the paths of the programs above the process.
/// The generation becomes 0: no daemon has loaded this scope. Kinds that no scope names stay as they were recorded.
///
/// # Errors
/// [`Lacking`] where the record does not say enough to decide.
pub(super) fn anew(
    event: &EventRecord,
    scope: &Effective,
    above: &[String],
    host: &Capabilities,
) -> Result<EventRecord, Lacking> {
    let mut answers: Vec<(Verdict, Option<Guarantee>)> = Vec::new();
    for act in facts(&event.act, &event.process, above)? {
        let verdict = evaluate(scope, &act);
        let held = guarantee(scope, event.act.kind, &act, &verdict, host);
        answers.push((verdict, held));
    }
    // The strongest answer is the act's; the first of equal ones, as in the kernel.
    let strongest = answers
        .into_iter()
        .rev()
        .max_by_key(|(verdict, _)| verdict.response);
    let Some((verdict, held)) = strongest else {
        return Ok(event.clone());
    };
    let recorded = &event.verdict;
    Ok(EventRecord {
        verdict: VerdictRecord {
            called_for: verdict.response,
            applied: applied(verdict.response, scope.mode, held),
            when: held.map_or(recorded.when, |held| held.when),
            tier: held.map_or(recorded.tier, |held| held.tier),
            scope: scope.name.clone(),
            rule: verdict.rule.map(|rule| rule.to_string()),
            reason: verdict.reason,
            grant: None,
        },
        weight: verdict.weight,
        generation: 0,
        ..event.clone()
    })
}

/// Whether a person would notice: another answer is called for, or the act goes through here and not there. By which
/// mechanism it is kept from having an effect is the host's, not the scope's.
pub(super) fn differs(recorded: &VerdictRecord, now: &VerdictRecord) -> bool {
    let held = |verdict: &VerdictRecord| verdict.applied > Response::Flag;
    recorded.called_for != now.called_for || held(recorded) != held(now)
}
