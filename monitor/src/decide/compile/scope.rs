//! A whole scope for one owner.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use scopeward_abi::{
    object::{Match, ns},
    policy::{Entry, Policy, flag},
};

use super::{
    CompileError, Locate, acts,
    endpoints::{self, Endpoints},
    entries::{self, Entries, EntryInfo},
    files,
    labels::Interned,
    programs, sockets,
    table::{Aliases, Table},
};
use crate::scope::{
    effective::Effective,
    endpoint::Endpoint,
    model::{Account, default_weight},
    pattern::PathPattern,
    rule_id::{RuleId, RulePlace},
    words::{Response, Step},
};

/// What names stand for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Addresses of names, in lower case.
    pub resolved: BTreeMap<String, BTreeSet<IpAddr>>,
    /// Names of the package registries that this host's package managers use.
    pub registries: BTreeSet<String>,
}

/// A scope as the kernel's tables.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The policy's number.
    pub number: u32,
    /// Its head.
    pub policy: Policy,
    /// Its entries, numbered from 1.
    pub entries: Vec<Entry>,
    /// What stands behind them.
    pub infos: Vec<EntryInfo>,
    /// Files.
    pub files: Table,
    /// Programs.
    pub programs: Table,
    /// Unix sockets that are bound to a path.
    pub sockets: Table,
    /// Unix sockets with an abstract name.
    pub abstract_names: Table,
    /// Endpoints: bits of the address, key, rules.
    pub endpoints: Endpoints,
    /// File patterns that are guarded, with their responses: what fanotify marks.
    pub guards: Vec<(PathPattern, Response)>,
    /// Program patterns that are refused.
    pub guarded_programs: Vec<PathPattern>,
    /// File patterns with what they match: for an object that is looked at from user space, by path.
    pub file_matches: Vec<(PathPattern, Match)>,
    /// The same for programs.
    pub program_matches: Vec<(PathPattern, Match)>,
    /// Lists of programs with their label.
    pub labels: Vec<(u64, Vec<PathPattern>)>,
}

impl Compiled {
    /// The labels of a program by its path: for one that is looked at from user space.
    #[must_use]
    pub fn labels_of(&self, path: &str) -> u64 {
        let fits = |list: &[PathPattern]| list.iter().any(|pattern| pattern.matches(path));
        self.labels
            .iter()
            .filter(|(_, list)| fits(list))
            .fold(0, |mask, (bit, _)| mask | bit)
    }

    /// What stands behind an entry's number; `None` for 0.
    #[must_use]
    pub fn info(&self, entry: u32) -> Option<&EntryInfo> {
        self.infos.get((entry as usize).checked_sub(1)?)
    }
}

/// What the parts of the compiler work on.
pub(super) struct Work {
    pub(super) number: u32,
    pub(super) policy: Policy,
    pub(super) entries: Entries,
    pub(super) files: Table,
    pub(super) programs: Table,
    pub(super) sockets: Table,
    pub(super) abstract_names: Table,
    pub(super) endpoints: Endpoints,
    pub(super) labels: Interned<Vec<PathPattern>>,
    pub(super) sanctions: Interned<Vec<PathPattern>>,
    pub(super) then: Interned<Vec<Endpoint>>,
    pub(super) file_matches: Vec<(PathPattern, Match)>,
    pub(super) program_matches: Vec<(PathPattern, Match)>,
    guards: Vec<(PathPattern, Response)>,
    guarded_programs: Vec<PathPattern>,
}

impl Work {
    /// The label of a list of programs, plus one; 0 for an empty list.
    pub(super) fn label(&mut self, list: &Vec<PathPattern>) -> Result<u8, CompileError> {
        if list.is_empty() {
            return Ok(0);
        }
        self.labels.number(list).ok_or(CompileError::Labels { most: 64 })
    }

    pub(super) fn guard(&mut self, pattern: &PathPattern, response: Response) {
        self.guards.push((pattern.clone(), response));
    }

    pub(super) fn guard_program(&mut self, pattern: &PathPattern) {
        self.guarded_programs.push(pattern.clone());
    }
}

/// Compiles a scope that is resolved for one owner ([`Effective::resolve`]) as policy `number` (1 to 65,535).
///
/// # Errors
/// [`CompileError`] where it does not fit the kernel's tables.
pub fn compile(
    scope: &Effective,
    number: u32,
    generation: u32,
    names: &Names,
    locate: &dyn Locate,
) -> Result<Compiled, CompileError> {
    let mut work = Work {
        number,
        policy: braked(
            Policy {
                generation,
                ..Policy::default()
            },
            scope,
        ),
        entries: Entries::default(),
        files: Table::new(number),
        programs: Table::new(number | ns::EXEC),
        sockets: Table::new(number | ns::SOCKETS),
        abstract_names: Table::new(number | ns::ABSTRACT),
        endpoints: Endpoints::new(),
        labels: Interned::new(64),
        // The last bit of the mask marks credentials.
        sanctions: Interned::new(63),
        then: Interned::new(255),
        file_matches: Vec::new(),
        program_matches: Vec::new(),
        guards: Vec::new(),
        guarded_programs: Vec::new(),
    };
    files::compile(&mut work, scope, locate)?;
    programs::compile(&mut work, scope, locate)?;
    endpoints::compile(&mut work, scope, names)?;
    sockets::compile(&mut work, scope, locate)?;
    acts::compile(&mut work, scope)?;
    work.policy.tighten = tightens(&mut work, scope)?;
    work.policy.flags |=
        work.files.flags | work.programs.flags << flag::EXEC_SHIFT | work.sockets.flags << flag::SOCKET_SHIFT;
    (work.policy.shape_count, work.policy.shapes) = work.files.shapes()?;
    (work.policy.exec_shape_count, work.policy.exec_shapes) = work.programs.shapes()?;
    (work.policy.socket_shape_count, work.policy.socket_shapes) =
        work.sockets.shapes_with(&work.abstract_names)?;
    Ok(Compiled {
        number,
        policy: work.policy,
        entries: work.entries.kernel,
        infos: work.entries.infos,
        files: work.files,
        programs: work.programs,
        sockets: work.sockets,
        abstract_names: work.abstract_names,
        endpoints: work.endpoints,
        file_matches: work.file_matches,
        program_matches: work.program_matches,
        guards: work.guards,
        guarded_programs: work.guarded_programs,
        labels: work
            .labels
            .bits()
            .map(|(bit, list)| (bit, list.clone()))
            .collect(),
    })
}

/// Compiles the programs of every `[[match]]` into one table: a hit asks the daemon to look.
///
/// # Errors
/// [`CompileError`] where they do not fit.
pub fn compile_matches<'p>(
    patterns: impl Iterator<Item = &'p PathPattern>,
    locate: &dyn Locate,
) -> Result<(Policy, Table), CompileError> {
    let mut table = Table::new(ns::EXEC | ns::MATCH);
    for pattern in patterns {
        table.add(
            pattern,
            Match {
                mask: 1,
                ..Match::default()
            },
            locate,
            Aliases::Ignored,
        )?;
    }
    let (exec_shape_count, exec_shapes) = table.shapes()?;
    let policy = Policy {
        flags: table.flags << flag::EXEC_SHIFT,
        exec_shape_count,
        exec_shapes,
        ..Policy::default()
    };
    Ok((policy, table))
}

/// The entry that answers what is new to a tightened session, where a budget tightens; else 0.
fn tightens(work: &mut Work, scope: &Effective) -> Result<u32, CompileError> {
    if !scope
        .budgets
        .iter()
        .any(|budget| budget.response == Step::Tighten)
    {
        return Ok(0);
    }
    let info = EntryInfo {
        rule: Some(RuleId::own(RulePlace::Tightened)),
        pattern: String::new(),
        response: Response::Deny,
        weight: default_weight(Response::Deny),
        reason: Some("a budget of cuts is used up: only what the session has used before".to_owned()),
        class: None,
        name: None,
    };
    work.entries.add(info, &[])
}

/// With the session's own budget that is used up first and stops it, where the scope has one: what the kernel holds by
/// itself.
fn braked(mut policy: Policy, scope: &Effective) -> Policy {
    let brake = scope
        .budgets
        .iter()
        .filter(|budget| budget.account == Account::Session && budget.response >= Step::Freeze)
        .min_by_key(|budget| (budget.weight, budget.within));
    if let Some(budget) = brake {
        policy.brake_weight = budget.weight;
        policy.brake_within = u64::try_from(budget.within.as_nanos()).unwrap_or(u64::MAX);
        policy.brake_response = u32::from(entries::code(budget.response.response()));
    }
    policy
}
