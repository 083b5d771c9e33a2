//! Network acts.

use super::{Candidate, Verdict, choose, instead, standing};
use crate::{
    decide::act_facts::{ConnectFacts, SocketFacts},
    scope::{effective::Network, endpoint::canonical, words::Response},
};

/// The longest prefix wins, then an address before a name, then fewer ports, then a named protocol.
pub(super) fn connect(network: &Network, act: &ConnectFacts<'_>) -> Verdict {
    let addr = canonical(act.addr);
    let candidates = network.rules.iter().flat_map(|rule| {
        let fitting = rule
            .to
            .iter()
            .filter(move |to| to.matches(addr, act.port, act.proto, act.names));
        fitting.map(|to| Candidate {
            precedence: rule.precedence(to),
            rule: &rule.rule,
            has_unless: false,
            sanctioned: false,
        })
    });
    match choose(candidates) {
        Some(chosen) => chosen.verdict(|_| instead::connect(act)),
        None => standing(&network.default, instead::connect(act)),
    }
}

/// A socket whose traffic passes no hook that judges endpoints is answered when it is made, as an endpoint that no
/// rule names.
pub(super) fn socket(network: &Network, act: SocketFacts) -> Verdict {
    if act.is_judged_at_connect() {
        return Verdict {
            response: Response::Allow,
            rule: None,
            reason: None,
            weight: 0,
            instead: None,
        };
    }
    let mut verdict = standing(&network.default, instead::socket());
    if verdict.response != Response::Allow {
        verdict.reason = Some("such a socket reaches others without connecting".into());
    }
    verdict
}
