//! The one answer to "what does this scope say about this act".
//!
//! The kernel decides from maps that were compiled from the same [`Effective`]; a property test holds the two together.

mod endpoints;
mod files;
mod instead;
mod programs;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use super::act_facts::ActFacts;
use crate::scope::{
    effective::{DefaultResponse, Effective, Rule},
    model::default_weight,
    rule_id::RuleId,
    words::Response,
};

/// What the scope calls for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is to be done.
    pub response: Response,
    /// The rule that decided; `None` for what is allowed by default.
    pub rule: Option<RuleId>,
    /// Why, in the words of the rule's author.
    pub reason: Option<String>,
    /// What it counts in the budget; 0 for what is allowed.
    pub weight: u32,
    /// What would have allowed it; `None` for what is allowed.
    pub instead: Option<String>,
}

impl Verdict {
    /// Allowed by default.
    pub const ALLOWED: Self = Self {
        response: Response::Allow,
        rule: None,
        reason: None,
        weight: 0,
        instead: None,
    };
}

/// Evaluates one act. `scope` is resolved for the session's owner, and past its expiry is
/// [`after_expiry`](Effective::after_expiry).
///
/// The most specific match wins, among equally specific ones the nearer file's, among those the stronger response.
/// The order of rules never matters.
#[must_use]
pub fn evaluate(scope: &Effective, act: &ActFacts<'_>) -> Verdict {
    match act {
        ActFacts::File(file) => files::evaluate(&scope.files, file),
        ActFacts::Exec(exec) => programs::exec(&scope.exec, exec),
        ActFacts::Connect(connect) => {
            let verdict = endpoints::connect(&scope.network, connect);
            if connect.borrowed && scope.borrowed_identity.response >= verdict.response.max(Response::Flag) {
                standing(&scope.borrowed_identity, instead::borrowed(connect))
            } else {
                verdict
            }
        }
        ActFacts::Socket(socket) => endpoints::socket(&scope.network, *socket),
        ActFacts::Unix { path } => programs::unix(&scope.sockets, path),
        ActFacts::Trace => by_key(&scope.trace),
        ActFacts::Signal => by_key(&scope.signal),
        ActFacts::RequestedStart => by_key(&scope.requested_start),
        ActFacts::Leave => by_key(&scope.leave),
        ActFacts::Mount => by_key(&scope.mount),
    }
}

/// The answer of one key, with what would have allowed the act.
fn by_key(key: &DefaultResponse) -> Verdict {
    standing(key, instead::key(key))
}

/// The answer where no rule fits.
fn standing(key: &DefaultResponse, instead: String) -> Verdict {
    let allowed = key.response == Response::Allow;
    Verdict {
        response: key.response,
        rule: (!allowed).then(|| key.id.clone()),
        reason: None,
        weight: default_weight(key.response),
        instead: (!allowed).then_some(instead),
    }
}

/// One rule that fits, on its way to being chosen.
#[derive(Clone, Copy)]
struct Candidate<'s, P> {
    precedence: P,
    rule: &'s Rule,
    /// Does the rule sanction any use?
    has_unless: bool,
    /// Is the act a use that the rule sanctions?
    sanctioned: bool,
}

impl<P: Ord + Copy> Candidate<'_, P> {
    fn response(&self) -> Response {
        if self.sanctioned {
            Response::Allow
        } else {
            self.rule.response
        }
    }

    fn weight(&self) -> u32 {
        if self.sanctioned { 0 } else { self.rule.weight }
    }

    fn verdict(&self, instead: impl FnOnce(&Rule) -> String) -> Verdict {
        let response = self.response();
        Verdict {
            response,
            rule: Some(self.rule.id.clone()),
            reason: if self.sanctioned {
                Some("a sanctioned use".into())
            } else {
                self.rule.reason.clone()
            },
            weight: self.weight(),
            instead: (response != Response::Allow).then(|| instead(self.rule)),
        }
    }
}

/// The order of rules that are about the same with the same precedence: the first one decides.
#[must_use]
pub fn among_equals(a: &Rule, a_has_unless: bool, b: &Rule, b_has_unless: bool) -> Ordering {
    (b.response, a_has_unless, b.weight, &a.reason, &a.id).cmp(&(
        a.response,
        b_has_unless,
        a.weight,
        &b.reason,
        &b.id,
    ))
}

/// The candidate that decides: what rules say counts here, and only then whether the one chosen sanctions the act, so
/// that the kernel, which knows one rule for each object, answers the same. What is equal in everything that matters is
/// told apart by weight and name, so that the order of rules shows nowhere.
fn choose<'s, P: Ord + Copy>(candidates: impl Iterator<Item = Candidate<'s, P>>) -> Option<Candidate<'s, P>> {
    candidates.max_by(|a, b| {
        a.precedence
            .cmp(&b.precedence)
            .then_with(|| among_equals(b.rule, b.has_unless, a.rule, a.has_unless))
    })
}
