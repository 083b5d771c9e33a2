//! Programs, and the sockets of services.

use super::{Candidate, Verdict, choose, instead, standing};
use crate::{
    decide::act_facts::ExecFacts,
    scope::{
        effective::{Exec, Sockets},
        model::SocketPattern,
        pattern::PathPattern,
    },
};

/// Rules about the program decide before it runs. Rules about its arguments come after that, so they can only add.
pub(super) fn exec(exec: &Exec, act: &ExecFacts<'_>) -> Verdict {
    let by_program = exec
        .rules
        .iter()
        .filter(|rule| rule.argv.is_empty())
        .flat_map(|rule| {
            let fitting = rule.exe.iter().filter(|pattern| runs(pattern, act));
            fitting.map(|pattern| Candidate {
                precedence: rule.rule.precedence(pattern),
                rule: &rule.rule,
                has_unless: false,
                sanctioned: false,
            })
        });
    let program = match choose(by_program) {
        Some(chosen) => chosen.verdict(|_| instead::exec(act)),
        None => standing(&exec.default, instead::exec(act)),
    };
    let by_arguments = exec.rules.iter().filter_map(|rule| {
        let literal = rule
            .argv
            .iter()
            .filter(|glob| glob.matches(act.argv))
            .map(crate::scope::argv::ArgvGlob::literal_len)
            .max()?;
        let named = rule
            .exe
            .iter()
            .filter(|pattern| runs(pattern, act))
            .map(|pattern| rule.rule.precedence(pattern))
            .max();
        let program = if rule.exe.is_empty() { 0 } else { named? };
        let nearness = 15 - rule.rule.layer.min(15);
        Some(Candidate {
            precedence: (program, literal, nearness),
            rule: &rule.rule,
            has_unless: false,
            sanctioned: false,
        })
    });
    match choose(by_arguments) {
        Some(chosen) if chosen.response() > program.response => chosen.verdict(instead::arguments),
        _ => program,
    }
}

fn runs(pattern: &PathPattern, act: &ExecFacts<'_>) -> bool {
    match pattern {
        PathPattern::Memfd(name) => {
            act.memfd.is_some_and(|given| name.matches(given)) || pattern.matches(act.path)
        }
        PathPattern::Deleted => act.deleted || pattern.matches(act.path),
        _ => pattern.matches(act.path),
    }
}

/// Unix sockets, by path or by abstract name.
pub(super) fn unix(sockets: &Sockets, path: &str) -> Verdict {
    let candidates = sockets.rules.iter().flat_map(|rule| {
        let fitting = rule.path.iter().filter(|pattern| listens(pattern, path));
        fitting.map(|pattern| Candidate {
            precedence: rule.rule.precedence_of_rank(pattern.rank()),
            rule: &rule.rule,
            has_unless: false,
            sanctioned: false,
        })
    });
    match choose(candidates) {
        Some(chosen) => chosen.verdict(|_| instead::unix(path)),
        None => standing(&sockets.default, instead::unix(path)),
    }
}

fn listens(pattern: &SocketPattern, path: &str) -> bool {
    match (pattern, path.strip_prefix('@')) {
        (SocketPattern::Abstract(name), Some(given)) => name.matches(given),
        (SocketPattern::Path(pattern), None) => pattern.matches(path),
        _ => false,
    }
}
