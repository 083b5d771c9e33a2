//! What becomes of a verdict on a host: which mechanism answers, when, and what it can do. Pure.

use super::{act_facts::ActFacts, evaluate::Verdict};
use crate::scope::{
    capability::{Capabilities, Guarantee},
    effective::Effective,
    pattern::PathPattern,
    rule_id::RuleId,
    words::{Kind, Mode, Response, When},
};

/// What holds this act on a host with `host`; `None` where nothing decides it there. `verdict` is what `scope` says of
/// `act`: the rule that decided tells whether it is held as an object or by name.
#[must_use]
pub fn guarantee(
    scope: &Effective,
    kind: Kind,
    act: &ActFacts<'_>,
    verdict: &Verdict,
    host: &Capabilities,
) -> Option<Guarantee> {
    match act {
        ActFacts::File(_) if happens_untold(kind) => host.file_changes,
        ActFacts::File(file) => {
            let fits = |pattern: &PathPattern| {
                pattern.matches(file.path) || file.guarded_as.is_some_and(|by| pattern.to_string() == by)
            };
            let by_object = verdict
                .rule
                .as_ref()
                .is_some_and(|id| is_by_object(scope, id, fits));
            if by_object {
                host.file_objects
            } else {
                host.file_names
            }
        }
        ActFacts::Exec(_) => {
            let by_arguments = verdict.rule.as_ref().is_some_and(|id| {
                scope
                    .exec
                    .rules
                    .iter()
                    .any(|rule| rule.rule.id == *id && !rule.argv.is_empty())
            });
            if by_arguments { host.exec_argv } else { host.exec }
        }
        ActFacts::Connect(_) | ActFacts::Socket(_) => host.network,
        ActFacts::Unix { .. } => host.sockets,
        ActFacts::Trace => host.trace,
        ActFacts::Signal => host.signal,
        ActFacts::RequestedStart => host.requested_start,
        ActFacts::Leave => host.leave,
        ActFacts::Mount => host.mount,
    }
}

/// What is really done. Observing changes nothing. Where an act can no longer be refused, a refusal is the end of the
/// process; where nothing decides the act, it is at most recorded.
#[must_use]
pub const fn applied(called_for: Response, mode: Mode, guarantee: Option<Guarantee>) -> Response {
    match (called_for, mode, guarantee) {
        (Response::Allow | Response::Flag, ..) => called_for,
        (_, Mode::Observe, _) | (_, _, None) => Response::Flag,
        (
            Response::Deny,
            _,
            Some(Guarantee {
                when: When::BeforeAct,
                ..
            }),
        ) => Response::Deny,
        (Response::Deny, ..) => Response::Kill,
        (Response::Freeze | Response::Kill, ..) => called_for,
    }
}

/// Acts on names and attributes, which no open shows.
const fn happens_untold(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::FileRename | Kind::FileLink | Kind::FileUnlink | Kind::FileTruncate | Kind::FileAttributes
    )
}

fn is_by_object(scope: &Effective, id: &RuleId, fits: impl Fn(&PathPattern) -> bool) -> bool {
    let rules = scope.files.rules.iter().filter(|rule| rule.rule.id == *id);
    rules
        .flat_map(|rule| &rule.paths)
        .any(|pattern| pattern.is_object() && fits(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::words::Tier;

    #[test]
    fn what_is_done_depends_on_mode_and_moment() {
        let at = |when| Some(Guarantee::new(Tier::Tracepoint, when));
        let table = [
            (
                Response::Allow,
                Mode::Enforce,
                at(When::BeforeAct),
                Response::Allow,
            ),
            (Response::Kill, Mode::Observe, at(When::BeforeAct), Response::Flag),
            (Response::Deny, Mode::Enforce, at(When::BeforeAct), Response::Deny),
            (Response::Deny, Mode::Enforce, at(When::BeforeUse), Response::Kill),
            (Response::Deny, Mode::Enforce, at(When::After), Response::Kill),
            (
                Response::Freeze,
                Mode::Enforce,
                at(When::BeforeUse),
                Response::Freeze,
            ),
            (Response::Kill, Mode::Enforce, None, Response::Flag),
        ];
        for (called_for, mode, guarantee, expected) in table {
            assert_eq!(
                applied(called_for, mode, guarantee),
                expected,
                "{called_for:?} {mode:?} {guarantee:?}"
            );
        }
    }
}
