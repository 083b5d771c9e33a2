//! Grants and pending decisions that are made up.

use super::fake::owner;
use crate::api::peer::Peer;
use crate::api::types::{Grant, GrantRequest, GrantState, Object, Pending, SessionInfo, SessionState};
use crate::record::tests::sample;

/// A grant as `peer` asked for it, for an endpoint.
pub(crate) fn grant(request: &GrantRequest, peer: &Peer) -> Grant {
    let given = sample::start();
    Grant {
        id: "g-0000000001".into(),
        session: "s-00000000000000aa".into(),
        key: 1,
        agent: "claude-code".into(),
        object: Object::Endpoint {
            address: "203.0.113.7".parse().unwrap(),
            port: 443,
            protocol: 6,
        },
        by: owner(peer.uid, "operator"),
        reason: request.reason.clone(),
        event: request.event.clone(),
        rule: Some("network.default".into()),
        asked: Some(given),
        given,
        until: given + std::time::Duration::from_secs(request.seconds),
        until_boot: 0,
        uses: 3,
        own_uses: 0,
        state: GrantState::Live,
    }
}

/// What `session` waits for, where it is frozen.
pub(crate) fn pending(session: &SessionInfo) -> Option<Pending> {
    match &session.status {
        SessionState::Frozen(reason) => Some(Pending {
            session: session.id.clone(),
            agent: session.agent.clone(),
            owner: session.owner.clone(),
            since: sample::start(),
            reason: reason.clone(),
            event: Some(sample::event(9).id),
            act: Some("net.connect 203.0.113.7:443\u{1b}[2J".into()),
            process: Some("curl[4212]".into()),
            rule: Some("network.default".into()),
            rule_reason: None,
            until: Some(sample::start() + std::time::Duration::from_secs(900)),
            then: "kill".into(),
            grant_command: Some(format!("scopeward grant {} --for 10m", sample::event(9).id)),
            evidence: None,
        }),
        _ => None,
    }
}
