//! Putting together what is known of one session.

use std::{collections::VecDeque, ops::ControlFlow};

use jiff::Timestamp;

use crate::{
    api::{
        control::ControlError,
        report::{EVENTS, REPORT_SCHEMA, Report},
    },
    ledger::cut::nanoseconds,
    pipeline::Monitor,
    record::{event::EventRecord, filter::Filter},
    scope::{
        model::Account,
        words::{Kind, Response},
    },
};

impl Monitor {
    /// All that is known of a session; from the store alone where it ended before this daemon started.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] where nothing is; [`ControlError::Internal`] where the store cannot be read.
    pub fn report_of(&self, session: &str) -> Result<Report, ControlError> {
        let (events, left_out) = self.telling_events(session)?;
        let mut state = self.lock();
        let key = state.sessions.key(session);
        if let Some(key) = key {
            state.read_counters(key);
        }
        let known = key.and_then(|key| Some(state.session_info(key, state.sessions.get(key)?)));
        let incidents: Vec<_> = state
            .incidents()
            .into_iter()
            .filter(|incident| incident.session == session)
            .collect();
        let facts = known
            .as_ref()
            .map(|known| (known.agent.clone(), known.owner.clone()))
            .or_else(|| {
                let event = events.first()?;
                Some((event.session.agent.clone(), event.session.owner.clone()))
            });
        let (agent, owner) = facts.ok_or_else(|| ControlError::NotFound {
            what: "session",
            id: session.to_owned(),
        })?;
        let now = nanoseconds(Timestamp::now());
        let tally = state
            .ledger
            .tallies(Account::Session, now, &|name| name == session)
            .pop();
        let mut rotations = state.cases.rotations.all().to_vec();
        rotations.retain(|entry| entry.reads.iter().any(|read| read.session == session));
        let mut decisions: Vec<_> = state.cases.decisions.iter().cloned().collect();
        decisions.retain(|decision| decision.session == session);
        Ok(Report {
            schema: REPORT_SCHEMA.to_owned(),
            made: Timestamp::now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: state.host.name.clone(),
            id: session.to_owned(),
            agent,
            owner,
            session: known,
            roots: key.map(|key| state.trees(key)).unwrap_or_default(),
            incidents,
            tally,
            events,
            left_out,
            rotations,
            decisions,
        })
    }

    /// Cuts, answers, connections and grants of a session: the earliest, and how many there are beyond those.
    fn telling_events(&self, session: &str) -> Result<(Vec<EventRecord>, u64), ControlError> {
        let tells = |event: &EventRecord| {
            event.verdict.called_for > Response::Allow
                || matches!(
                    event.act.kind,
                    Kind::NetConnect
                        | Kind::NetSend
                        | Kind::GrantGive
                        | Kind::GrantExpire
                        | Kind::GrantRevoke
                )
        };
        let Some(store) = self.store() else {
            let state = self.lock();
            let recent = state.cases.recent.iter().flat_map(VecDeque::iter);
            let own = recent.filter(|event| event.session.id == session);
            return Ok((own.cloned().collect(), 0));
        };
        let filter = Filter {
            session: vec![session.to_owned()],
            ..Filter::default()
        };
        let (mut events, mut left_out) = (Vec::new(), 0);
        store.visit(&filter, &mut |event| {
            if !tells(&event) {
                return ControlFlow::Continue(());
            }
            if events.len() < EVENTS {
                events.push(event);
            } else {
                left_out += 1;
            }
            ControlFlow::Continue(())
        })?;
        Ok((events, left_out))
    }
}
