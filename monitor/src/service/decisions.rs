//! What a person, or the clock, decided about a session, as a record.

use jiff::Timestamp;

use crate::{
    api::peer::Peer,
    attribute::{clock::Clock, owner},
    ledger::decision::Decision,
    record::event::{
        ActRecord, DecisionRecord, EventRecord, Owner, ProcessRef, SCHEMA, SessionRef, VerdictRecord,
    },
    scope::words::{Kind, Response, Tier, When},
    service::state::State,
};

/// Who is at the other end of the socket, as a person: the login that it came from, where that is known.
#[must_use]
pub fn person(peer: &Peer) -> Owner {
    owner::of(peer.pid, peer.uid)
}

impl State {
    /// The record of a decision. `by` is the process that asked, `None` for the daemon itself.
    pub fn decided(
        &mut self,
        kind: Kind,
        session: SessionRef,
        decision: DecisionRecord,
        asked_by: Option<&Peer>,
    ) -> EventRecord {
        let time = self.clock.wall(Clock::boot_ns());
        let pid = asked_by.map_or_else(std::process::id, |peer| peer.pid);
        let exe = std::fs::read_link(format!("/proc/{pid}/exe"))
            .ok()
            .map(|exe| exe.to_string_lossy().into_owned());
        let applied = match kind {
            Kind::SessionFreeze => Response::Freeze,
            Kind::SessionKill => Response::Kill,
            _ => Response::Allow,
        };
        EventRecord {
            schema: SCHEMA.to_owned(),
            id: self.next_id(time),
            time,
            host: self.host.clone(),
            verdict: VerdictRecord {
                called_for: Response::Allow,
                applied,
                when: When::After,
                tier: Tier::Daemon,
                scope: session.agent.clone(),
                rule: None,
                reason: decision.reason.clone(),
                grant: decision.grant.clone(),
            },
            session,
            process: ProcessRef {
                pid,
                tid: pid,
                exe,
                uid: asked_by.map_or(0, |peer| peer.uid),
                ..ProcessRef::default()
            },
            act: ActRecord {
                decision: Some(Box::new(decision)),
                ..ActRecord::new(kind)
            },
            weight: 0,
            count: 1,
            generation: 0,
            chain: None,
        }
    }

    /// The record of a session's freeze, thaw or kill by hand or by the clock; what a person decided is kept for reports
    /// as well.
    pub fn decided_on_session(
        &mut self,
        kind: Kind,
        key: u64,
        reason: &str,
        by: Option<&Peer>,
    ) -> Option<EventRecord> {
        let session = self.sessions.get(key)?;
        let facts = (*session.facts).clone();
        let frozen = session.frozen_by.as_ref();
        let (event, asked) = (
            frozen.map(|event| event.id.clone()),
            frozen.map(|event| event.time),
        );
        if let Some(peer) = by {
            self.cases.decide(Decision {
                time: Timestamp::now(),
                session: facts.id.clone(),
                what: kind.word().rsplit('.').next().unwrap_or_default().to_owned(),
                by: owner::name(peer.uid).unwrap_or_else(|| format!("uid {}", peer.uid)),
                uid: peer.uid,
                reason: reason.to_owned(),
            });
        }
        let decision = DecisionRecord {
            by: by.map(person),
            reason: Some(reason.to_owned()),
            event,
            asked,
            ..DecisionRecord::default()
        };
        Some(self.decided(kind, facts, decision, by))
    }
}

/// Now, on both clocks.
#[must_use]
pub fn moment() -> (Timestamp, u64) {
    (Timestamp::now(), Clock::boot_ns())
}
