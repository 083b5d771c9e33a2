//! File acts.

use super::{Candidate, Verdict, choose, instead, standing};
use crate::{
    decide::act_facts::FileFacts,
    scope::{
        effective::{Files, Unless},
        pattern::PathPattern,
        words::Access,
    },
};

/// Reading and writing are judged each for itself; the stronger answer is the act's.
pub(super) fn evaluate(files: &Files, act: &FileFacts<'_>) -> Verdict {
    let verdicts = act.access.iter().map(|access| for_access(files, act, *access));
    let strength = |verdict: &Verdict| (verdict.response, verdict.weight);
    // Of two that are the same the first, as in the kernel.
    verdicts
        .reduce(|first, other| {
            if strength(&other) > strength(&first) {
                other
            } else {
                first
            }
        })
        .unwrap_or_else(|| {
            // An act that is neither (a descriptor that gives no access) can still be forbidden by `default`.
            standing(&files.default, instead::file(None, act))
        })
}

fn for_access(files: &Files, act: &FileFacts<'_>, access: Access) -> Verdict {
    let by_name = by_rules(files, act, access, |pattern| pattern.matches(act.path));
    let by_name = by_name.unwrap_or_else(|| unnamed(files, act, access));
    let Some(guarded) = guard(act) else { return by_name };
    // Another name for a guarded object can add to what the object itself calls for, never take from it: otherwise a
    // link in a place where everything is allowed would open the way to any guarded file.
    let by_object = by_rules(files, act, access, |pattern| *pattern == guarded);
    by_object
        .filter(|verdict| verdict.response >= by_name.response)
        .unwrap_or(by_name)
}

/// The pattern that guards the object.
fn guard(act: &FileFacts<'_>) -> Option<PathPattern> {
    act.guarded_as?.parse().ok()
}

fn by_rules(
    files: &Files,
    act: &FileFacts<'_>,
    access: Access,
    fits: impl Fn(&PathPattern) -> bool,
) -> Option<Verdict> {
    let about = files.rules.iter().filter(|rule| rule.is_about(access));
    let candidates = about.flat_map(|rule| {
        let fitting = rule.paths.iter().filter(|pattern| fits(pattern));
        fitting.map(|pattern| Candidate {
            precedence: rule.rule.precedence(pattern),
            rule: &rule.rule,
            has_unless: !rule.unless.is_empty(),
            sanctioned: rule.unless.iter().any(|unless| sanctions(unless, act)),
        })
    });
    choose(candidates).map(|chosen| chosen.verdict(|rule| instead::file(Some(rule), act)))
}

/// What no rule names.
fn unnamed(files: &Files, act: &FileFacts<'_>, access: Access) -> Verdict {
    match &files.write_default {
        Some(_) if access == Access::Write && files.write.iter().any(|p| p.matches(act.path)) => {
            Verdict::ALLOWED
        }
        Some(write_default) if access == Access::Write => standing(write_default, instead::write(act)),
        _ => standing(&files.default, instead::file(None, act)),
    }
}

fn sanctions(unless: &Unless, act: &FileFacts<'_>) -> bool {
    let exe = unless.exe.is_empty() || unless.exe.iter().any(|p| p.matches(act.exe));
    let ancestor = unless.ancestor.is_empty()
        || unless
            .ancestor
            .iter()
            .any(|p| act.lineage.iter().any(|above| p.matches(above)));
    let path = unless.paths.is_empty() || unless.paths.iter().any(|p| sanctions_path(p, act));
    exe && ancestor && path
}

/// A guarded object that goes by another name is sanctioned as what it is, not as what it is called.
fn sanctions_path(pattern: &PathPattern, act: &FileFacts<'_>) -> bool {
    match guard(act) {
        Some(guarded) if !guarded.matches(act.path) => pattern.covers(&guarded),
        _ => pattern.matches(act.path),
    }
}
