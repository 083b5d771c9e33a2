//! `[files]`.

use scopeward_abi::{object::Match, policy::Unless};

use super::{
    CompileError, Locate, credentials,
    entries::{EntryInfo, code},
    scope::Work,
    table::Aliases,
};
use crate::decide::evaluate::among_equals;
use crate::scope::{
    effective::{Effective, FileRule},
    rule_id::RulePlace,
    words::Response,
};

/// Compiles the rules, then what is writable.
pub(super) fn compile(work: &mut Work, scope: &Effective, locate: &dyn Locate) -> Result<(), CompileError> {
    // Of rules that are about the same the first one stays in the tables.
    let mut rules: Vec<&FileRule> = scope.files.rules.iter().collect();
    rules.sort_by(|a, b| among_equals(&a.rule, !a.unless.is_empty(), &b.rule, !b.unless.is_empty()));
    for rule in rules {
        let unless = unless(work, rule)?;
        for pattern in &rule.paths {
            let info = EntryInfo {
                rule: Some(rule.rule.id.clone()),
                pattern: pattern.to_string(),
                response: rule.rule.response,
                weight: rule.rule.weight,
                reason: rule.rule.reason.clone(),
                class: rule.class,
                name: None,
            };
            let entry = work.entries.add(info, &unless)?;
            let rank = rule.rule.precedence(pattern) << 3 | u32::from(code(rule.rule.response));
            let found = Match {
                read: if rule.read { entry } else { 0 },
                write: if rule.write { entry } else { 0 },
                read_rank: rank,
                write_rank: rank,
                ..Match::default()
            };
            let guards = rule.rule.response != Response::Allow;
            let aliases = if guards {
                Aliases::Followed
            } else {
                Aliases::Ignored
            };
            work.files.add(pattern, found, locate, aliases)?;
            work.file_matches.push((pattern.clone(), found));
            // What the monitor itself opens all the time has no mark: it would wait for its own answer.
            if guards && rule.rule.id.place != RulePlace::SelfDefence {
                work.guard(pattern, rule.rule.response);
            }
        }
    }
    for (mask, paths) in work.sanctions.bits() {
        for pattern in paths {
            let found = Match {
                mask,
                ..Match::default()
            };
            work.files.add(pattern, found, locate, Aliases::Followed)?;
            work.file_matches.push((pattern.clone(), found));
        }
    }
    credentials::mark(work, scope, locate)?;
    work.files.tie(&work.file_matches);
    writable(work, scope, locate)?;
    work.policy.read_default = work.entries.add_default(&scope.files.default)?;
    let write = scope.files.write_default.as_ref().unwrap_or(&scope.files.default);
    work.policy.write_default = work.entries.add_default(write)?;
    fail_direction(work, scope)
}

/// What the scope lists as writable: below every rule, above the default.
fn writable(work: &mut Work, scope: &Effective, locate: &dyn Locate) -> Result<(), CompileError> {
    if scope.files.write_default.is_none() {
        return Ok(());
    }
    for pattern in &scope.files.write {
        let info = EntryInfo {
            rule: None,
            pattern: pattern.to_string(),
            response: Response::Allow,
            weight: 0,
            reason: None,
            class: None,
            name: None,
        };
        let found = Match {
            write: work.entries.add(info, &[])?,
            write_rank: 1,
            ..Match::default()
        };
        work.files.add(pattern, found, locate, Aliases::Ignored)?;
    }
    Ok(())
}

/// A file that cannot be resolved is answered as the strongest rule would answer.
fn fail_direction(work: &mut Work, scope: &Effective) -> Result<(), CompileError> {
    // What every session is held to is known by its place: a scope without rules guards nothing that could be meant.
    let rules = scope.files.rules.iter();
    let strongest = rules
        .filter(|rule| rule.rule.id.place != RulePlace::SelfDefence)
        .max_by_key(|rule| rule.rule.response);
    work.policy.fail = work.entries.add_fail(
        strongest.map(|rule| &rule.rule),
        "the file could not be resolved, and the scope guards files",
    )?;
    Ok(())
}

fn unless(work: &mut Work, rule: &FileRule) -> Result<Vec<Unless>, CompileError> {
    let mut found = Vec::new();
    for unless in &rule.unless {
        let sanctions = CompileError::Sanctions { most: 63 };
        let paths = if unless.paths.is_empty() {
            0
        } else {
            work.sanctions.number(&unless.paths).ok_or(sanctions)?
        };
        let then = if unless.then_to.is_empty() {
            0
        } else {
            work.then
                .number(&unless.then_to)
                .ok_or(CompileError::Then { most: 255 })?
        };
        found.push(Unless {
            exe: work.label(&unless.exe)?,
            ancestor: work.label(&unless.ancestor)?,
            paths,
            then,
        });
    }
    Ok(found)
}
