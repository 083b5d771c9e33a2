//! What waits for a person: frozen sessions, who asks, for what, and what happens when nobody decides.

use std::time::Duration;

use crate::{
    api::types::Pending,
    attribute::{
        clock::Clock,
        sessions::{Session, SessionState},
    },
    record::event::{EventRecord, act_line},
    scope::model::AfterFreeze,
    service::{state::State, why::grant_command},
};

impl State {
    /// The sessions that are frozen, the one that waits longest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        let mut waiting: Vec<(u64, Pending)> = self
            .sessions
            .live()
            .filter_map(|(_, session)| self.waiting(session))
            .collect();
        waiting.sort_by_key(|(since, _)| *since);
        waiting.into_iter().map(|(_, pending)| pending).collect()
    }

    fn waiting(&self, session: &Session) -> Option<(u64, Pending)> {
        let SessionState::Frozen(reason) = &session.state else {
            return None;
        };
        let frozen_at = session.frozen_at.unwrap_or_else(Clock::boot_ns);
        let freeze = self
            .policies
            .get(session.policy)
            .map(|policy| &policy.scope.freeze);
        let then = freeze.map_or(AfterFreeze::Freeze, |freeze| freeze.then);
        let until = freeze
            .filter(|_| then != AfterFreeze::Freeze)
            .map(|freeze| self.clock.wall(frozen_at.saturating_add(ns(freeze.timeout))));
        let cause = session.frozen_by.as_ref();
        let pending = Pending {
            session: session.facts.id.clone(),
            agent: session.facts.agent.clone(),
            owner: session.owner().clone(),
            since: self.clock.wall(frozen_at),
            reason: reason.clone(),
            event: cause.map(|event| event.id.clone()),
            act: cause.map(|event| act_line(&event.act)),
            process: cause.map(process),
            rule: cause.and_then(|event| event.verdict.rule.clone()),
            rule_reason: cause.and_then(|event| event.verdict.reason.clone()),
            until,
            then: after_word(then).to_owned(),
            grant_command: cause.and_then(|event| grant_command(self, event)),
            evidence: session.evidence.as_ref().map(|at| at.display().to_string()),
        };
        Some((frozen_at, pending))
    }
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The word of what happens when nobody decides, as scope files have it.
#[must_use]
pub const fn after_word(then: AfterFreeze) -> &'static str {
    match then {
        AfterFreeze::Freeze => "freeze",
        AfterFreeze::Thaw => "thaw",
        AfterFreeze::Kill => "kill",
    }
}

fn process(event: &EventRecord) -> String {
    let exe = event.process.exe.as_deref().unwrap_or("?");
    format!("{}[{}]", exe.rsplit('/').next().unwrap_or(exe), event.process.pid)
}
