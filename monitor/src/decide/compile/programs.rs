//! `[exec]`, and the labels that `unless` asks programs for.

use scopeward_abi::object::Match;

use super::{
    CompileError, Locate,
    entries::{EntryInfo, code},
    scope::Work,
    table::Aliases,
};
use crate::decide::evaluate::among_equals;
use crate::scope::{
    effective::{Effective, ExecRule},
    words::Response,
};

/// Compiles the rules that name programs. Those that name arguments are decided in user space.
pub(super) fn compile(work: &mut Work, scope: &Effective, locate: &dyn Locate) -> Result<(), CompileError> {
    let mut rules: Vec<&ExecRule> = scope
        .exec
        .rules
        .iter()
        .filter(|rule| rule.argv.is_empty())
        .collect();
    rules.sort_by(|a, b| among_equals(&a.rule, false, &b.rule, false));
    for rule in rules {
        for pattern in &rule.exe {
            let info = EntryInfo {
                rule: Some(rule.rule.id.clone()),
                pattern: pattern.to_string(),
                response: rule.rule.response,
                weight: rule.rule.weight,
                reason: rule.rule.reason.clone(),
                class: None,
                name: None,
            };
            let found = Match {
                read: work.entries.add(info, &[])?,
                read_rank: rule.rule.precedence(pattern) << 3 | u32::from(code(rule.rule.response)),
                ..Match::default()
            };
            work.programs.add(pattern, found, locate, Aliases::Programs)?;
            work.program_matches.push((pattern.clone(), found));
            if rule.rule.response >= Response::Deny {
                work.guard_program(pattern);
            }
        }
    }
    work.programs.tie(&work.program_matches);
    for (mask, list) in work.labels.bits() {
        for pattern in list {
            work.programs.add(
                pattern,
                Match {
                    mask,
                    ..Match::default()
                },
                locate,
                Aliases::Ignored,
            )?;
        }
    }
    work.policy.exec_default = work.entries.add_default(&scope.exec.default)?;
    let named = scope
        .exec
        .rules
        .iter()
        .filter(|rule| !rule.exe.is_empty() && rule.argv.is_empty());
    let strongest = named.max_by_key(|rule| rule.rule.response);
    work.policy.exec_fail = work.entries.add_fail(
        strongest.map(|rule| &rule.rule),
        "the program could not be resolved, and the scope has rules for programs",
    )?;
    Ok(())
}
