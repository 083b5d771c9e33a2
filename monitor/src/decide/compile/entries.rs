//! Entries: what one rule answers for one pattern, and what user space knows of it.

use scopeward_abi::policy::{Entry, Unless, response};

use super::CompileError;
use crate::scope::{effective::Rule, rule_id::RuleId, words::Response};

/// In place of a pattern, where the object could not be resolved.
pub const UNRESOLVED: &str = "(what could not be resolved)";

/// What stands behind an entry's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryInfo {
    /// The rule; `None` for what the scope lists as writable.
    pub rule: Option<RuleId>,
    /// The pattern or endpoint, as the scope says it; empty for a default.
    pub pattern: String,
    /// What is done.
    pub response: Response,
    /// What a cut counts.
    pub weight: u32,
    /// Why, for people.
    pub reason: Option<String>,
    /// The class of `@credentials`.
    pub class: Option<&'static str>,
    /// The name that an endpoint's address was resolved from.
    pub name: Option<String>,
}

/// The entries of a policy, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) kernel: Vec<Entry>,
    pub(super) infos: Vec<EntryInfo>,
}

/// The kernel's number for a response.
pub(super) const fn code(response: Response) -> u8 {
    match response {
        Response::Allow => response::ALLOW,
        Response::Flag => response::FLAG,
        Response::Deny => response::DENY,
        Response::Freeze => response::FREEZE,
        Response::Kill => response::KILL,
    }
}

impl Entries {
    /// Adds one; returns its number.
    pub(super) fn add(&mut self, info: EntryInfo, unless: &[Unless]) -> Result<u32, CompileError> {
        let most = scopeward_abi::MAX_UNLESS;
        let mut entry = Entry {
            response: code(info.response),
            weight: u16::try_from(info.weight).unwrap_or(u16::MAX),
            ..Entry::default()
        };
        if unless.len() > most {
            let rule = info.rule.as_ref().map(ToString::to_string).unwrap_or_default();
            return Err(CompileError::Unless { rule, most });
        }
        for (to, from) in entry.unless.iter_mut().zip(unless) {
            *to = *from;
        }
        entry.unless_count = u8::try_from(unless.len()).unwrap_or(u8::MAX);
        self.kernel.push(entry);
        self.infos.push(info);
        Ok(u32::try_from(self.infos.len()).unwrap_or(u32::MAX))
    }

    /// Adds the entry of a default, unless it allows; returns its number, or 0.
    pub(super) fn add_default(
        &mut self,
        default: &crate::scope::effective::DefaultResponse,
    ) -> Result<u32, CompileError> {
        if default.response == Response::Allow {
            return Ok(0);
        }
        let info = EntryInfo {
            rule: Some(default.id.clone()),
            pattern: String::new(),
            response: default.response,
            weight: crate::scope::model::default_weight(default.response),
            reason: None,
            class: None,
            name: None,
        };
        self.add(info, &[])
    }

    /// Adds the entry of what could not be resolved, which is answered as the strongest of the rules that could have been
    /// meant; returns its number, or 0 where none of them does anything.
    pub(super) fn add_fail(&mut self, strongest: Option<&Rule>, reason: &str) -> Result<u32, CompileError> {
        let Some(rule) = strongest.filter(|rule| rule.response > Response::Allow) else {
            return Ok(0);
        };
        let info = EntryInfo {
            rule: Some(rule.id.clone()),
            pattern: UNRESOLVED.to_owned(),
            response: rule.response,
            weight: rule.weight,
            reason: Some(reason.to_owned()),
            class: None,
            name: None,
        };
        self.add(info, &[])
    }
}
