//! `[sockets]`: by path as files are, and by abstract name.

use scopeward_abi::object::Match;

use super::{
    CompileError, Locate,
    entries::{EntryInfo, code},
    scope::Work,
    table::Aliases,
};
use crate::scope::{effective::Effective, model::SocketPattern, words::Response};

/// Compiles the rules, the default, and what answers for a socket that cannot be resolved.
pub(super) fn compile(work: &mut Work, scope: &Effective, locate: &dyn Locate) -> Result<(), CompileError> {
    let mut patterns = Vec::new();
    for rule in &scope.sockets.rules {
        let info = |pattern: String| EntryInfo {
            rule: Some(rule.rule.id.clone()),
            pattern,
            response: rule.rule.response,
            weight: rule.rule.weight,
            reason: rule.rule.reason.clone(),
            class: None,
            name: None,
        };
        for pattern in &rule.path {
            let rank = rule.rule.precedence_of_rank(pattern.rank());
            let found = Match {
                read: work.entries.add(info(pattern.to_string()), &[])?,
                read_rank: rank << 3 | u32::from(code(rule.rule.response)),
                ..Match::default()
            };
            match pattern {
                SocketPattern::Path(path) => {
                    let aliases = if rule.rule.response == Response::Allow {
                        Aliases::Ignored
                    } else {
                        Aliases::Followed
                    };
                    work.sockets.add(path, found, locate, aliases)?;
                    patterns.push((path.clone(), found));
                }
                SocketPattern::Abstract(name) => work.abstract_names.add_name(name, found)?,
            }
        }
    }
    work.sockets.tie(&patterns);
    work.policy.socket_default = work.entries.add_default(&scope.sockets.default)?;
    let strongest = scope.sockets.rules.iter().max_by_key(|rule| rule.rule.response);
    work.policy.socket_fail = work.entries.add_fail(
        strongest.map(|rule| &rule.rule),
        "the socket could not be resolved, and the scope guards sockets",
    )?;
    Ok(())
}
