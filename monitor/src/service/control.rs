//! What the API asks of the monitor.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use tokio::sync::broadcast;

use crate::{
    api::{
        control::{Control, ControlError, stored_event},
        peer::Peer,
        report::Report,
        types::{
            AgentInfo, CutsBy, EnrolRequest, Enrolled, Grant, GrantRequest, Incident, Pending, Reason,
            Reloaded, Rotation, ScopeInfo, SessionInfo, Status, Tally, Tree, Why,
        },
    },
    attribute::sessions::Session,
    config::scope_files::LoadError,
    export::status::{ExporterStatus, TestDelivery},
    ledger::cut::nanoseconds,
    observe::lacking,
    pipeline::Monitor,
    record::{event::EventRecord, filter::Filter, health::StoreState},
    scope::words::{Kind, Mode},
    service::{enrol::EnrolError, state::State, views::guarantees, why},
};

impl From<LoadError> for ControlError {
    fn from(error: LoadError) -> Self {
        Self::Invalid {
            why: error.to_string(),
            remedy: "`scopeward scope check FILE` shows each line".to_owned(),
        }
    }
}

impl From<EnrolError> for ControlError {
    fn from(error: EnrolError) -> Self {
        Self::Invalid {
            why: format!("failed to {error}"),
            remedy: "nothing was changed".to_owned(),
        }
    }
}

pub(super) fn not_found(what: &'static str, id: &str) -> ControlError {
    ControlError::NotFound {
        what,
        id: id.to_owned(),
    }
}

impl Control for Monitor {
    fn status(&self) -> Status {
        let marks = self
            .fanotify()
            .as_ref()
            .map(crate::observe::fanotify::Fanotify::state);
        let store = self
            .store()
            .map(crate::record::store::Store::health)
            .unwrap_or_default();
        let state = self.lock();
        let mut losses: BTreeMap<String, u64> = BTreeMap::new();
        for (hook, reason, count) in state.kernel.maps.losses() {
            losses.insert(format!("{hook}: {reason}"), count);
        }
        for (what, count) in &state.troubles {
            losses.insert((*what).to_owned(), *count);
        }
        let mut degraded: Vec<String> = state.degraded.values().cloned().collect();
        if let StoreState::Failing(why) = &store.state {
            degraded.push(format!(
                "events wait in memory, because the store cannot be written ({why}); enforcement goes on"
            ));
        }
        degraded.extend(
            self.exporters()
                .iter()
                .filter(|exporter| exporter.failing)
                .map(|exporter| {
                    let why = exporter
                        .last_error
                        .as_ref()
                        .map_or("", |last| last.error.as_str());
                    format!(
                        "the exporter {} does not deliver ({why}); {} events wait for it in the store",
                        exporter.name, exporter.lag_events
                    )
                }),
        );
        degraded.extend(state.kernel.absent().iter().map(|(name, why)| {
            let why = why.lines().next().unwrap_or_default();
            let means = lacking::meaning(name);
            format!("the program {name} is not attached ({why}): {means}")
        }));
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            since: self.since,
            tiers: guarantees(
                state.kernel.denies(),
                state.kernel.denies_changes(),
                marks.as_ref(),
            ),
            sessions: state.sessions.live().count() as u64,
            events_per_second: state.rate.iter().sum::<u64>() as f64 / state.rate.len() as f64,
            losses,
            store,
            degraded,
            generation: state.policies.generation(),
            scopes: state.scopes.infos(),
        }
    }

    fn sessions(&self) -> Vec<SessionInfo> {
        let mut state = self.lock();
        let live: Vec<u64> = state.sessions.live().map(|(key, _)| key).collect();
        for key in live {
            state.read_counters(key);
        }
        let mut all: Vec<(u64, SessionInfo)> = state
            .sessions
            .iter()
            .map(|(key, session)| (key, state.session_info(key, session)))
            .collect();
        let now = nanoseconds(jiff::Timestamp::now());
        for (key, info) in &mut all {
            info.budget = state.nearest_budget(*key, now);
        }
        all.into_iter().map(|(_, info)| info).collect()
    }

    fn agents(&self) -> Vec<AgentInfo> {
        let sessions = self.sessions();
        let state = self.lock();
        let mut agents: BTreeMap<String, AgentInfo> = BTreeMap::new();
        let empty = |name: &str, description: Option<String>, mode: Mode| AgentInfo {
            name: name.to_owned(),
            description,
            mode,
            sessions: 0,
            owners: Vec::new(),
            since: None,
            acts: 0,
            cuts: 0,
        };
        for loaded in state.scopes.iter() {
            let scope = &loaded.scope;
            agents.insert(
                scope.name.clone(),
                empty(&scope.name, scope.description.clone(), scope.mode),
            );
        }
        for (_, policy) in state.policies.iter() {
            let scope = &policy.scope;
            let agent = || empty(&scope.name, scope.description.clone(), scope.mode);
            agents.entry(scope.name.clone()).or_insert_with(agent);
        }
        for session in sessions {
            let agent = agents
                .entry(session.agent.clone())
                .or_insert_with(|| empty(&session.agent, None, session.mode));
            agent.acts += session.acts;
            agent.cuts += session.cuts;
            let live = state
                .sessions
                .key(&session.id)
                .and_then(|key| state.sessions.get(key))
                .is_some_and(Session::is_live);
            if live {
                agent.sessions += 1;
                agent.since = Some(
                    agent
                        .since
                        .map_or(session.since, |since| since.min(session.since)),
                );
                if !agent.owners.contains(&session.owner) {
                    agent.owners.push(session.owner);
                }
            }
        }
        agents.into_values().collect()
    }

    fn scopes(&self) -> Vec<ScopeInfo> {
        self.lock().scopes.infos()
    }

    fn reload(&self) -> Reloaded {
        Self::reload(self)
    }

    fn metrics(&self) -> String {
        self.metrics_text()
    }

    fn tree(&self, session: &str) -> Result<Tree, ControlError> {
        let mut state = self.lock();
        let key = state
            .sessions
            .key(session)
            .ok_or_else(|| not_found("session", session))?;
        state.read_counters(key);
        let known = state
            .sessions
            .get(key)
            .ok_or_else(|| not_found("session", session))?;
        Ok(Tree {
            session: state.session_info(key, known),
            roots: state.trees(key),
        })
    }

    fn session_of(&self, pid: u32) -> Option<String> {
        let member = self.memberships.get(pid)?;
        let state = self.lock();
        let name = || crate::attribute::sessions::Sessions::name(&state.host.boot_id, member.session);
        Some(
            state
                .sessions
                .get(member.session)
                .map_or_else(name, |session| session.facts.id.clone()),
        )
    }

    fn enrol(&self, request: &EnrolRequest, peer: &Peer) -> Result<Enrolled, ControlError> {
        self.enrol_for(request, peer.uid)
    }

    fn freeze(&self, session: &str, reason: &str, peer: &Peer) -> Result<SessionInfo, ControlError> {
        self.change(session, (Kind::SessionFreeze, reason, peer), |state, key| {
            state.freeze(key, reason)
        })
    }

    fn thaw(&self, session: &str, reason: &str, peer: &Peer) -> Result<SessionInfo, ControlError> {
        self.change(session, (Kind::SessionThaw, reason, peer), State::thaw)
    }

    fn kill(&self, session: &str, reason: &str, peer: &Peer) -> Result<SessionInfo, ControlError> {
        self.change(session, (Kind::SessionKill, reason, peer), |state, key| {
            state.kill(key, reason)
        })
    }

    fn grant(&self, request: &GrantRequest, peer: &Peer) -> Result<Grant, ControlError> {
        let event = request.event.as_deref().map(|id| self.event(id)).transpose()?;
        let (grant, records) = self.lock().give(request, event.as_ref(), peer)?;
        self.record(records);
        Ok(grant)
    }

    fn grants(&self) -> Vec<Grant> {
        let mut state = self.lock();
        state.read_uses();
        state.grants.iter().cloned().collect()
    }

    fn revoke(&self, grant: &str, reason: &str, peer: &Peer) -> Result<Grant, ControlError> {
        let (grant, records) = self.lock().take_back(grant, reason, peer)?;
        self.record(records);
        Ok(grant)
    }

    fn pending(&self) -> Vec<Pending> {
        self.lock().pending()
    }

    fn report(&self, session: &str) -> Result<Report, ControlError> {
        self.report_of(session)
    }

    fn incidents(&self) -> Vec<Incident> {
        self.lock().incidents()
    }

    fn rotations(&self) -> Vec<Rotation> {
        self.lock().cases.rotations.all().to_vec()
    }

    fn rotate(&self, name: &str, note: &str, peer: &Peer) -> Result<Rotation, ControlError> {
        self.mark_rotated(name, note, peer.uid)
    }

    fn events(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(EventRecord) -> ControlFlow<()>,
    ) -> Result<(), ControlError> {
        match self.store() {
            Some(store) => Ok(store.visit(filter, visit)?),
            None => Ok(()),
        }
    }

    fn event(&self, id: &str) -> Result<EventRecord, ControlError> {
        let store = self.store().ok_or_else(|| not_found("event", id))?;
        stored_event(store, id)
    }

    fn last_reason(&self, session: &str) -> Result<Reason, ControlError> {
        let state = self.lock();
        let known = state
            .sessions
            .key(session)
            .and_then(|key| state.sessions.get(key));
        known
            .and_then(|known| known.last_told.as_ref().map(Reason::of))
            .ok_or_else(|| not_found("cut of session", session))
    }

    fn cuts(&self, by: CutsBy, only: Option<u32>) -> Vec<Tally> {
        self.lock().tallies(by, only)
    }

    fn why(&self, event: EventRecord) -> Result<Why, ControlError> {
        Ok(why::explain(&self.lock(), event))
    }

    fn exporters(&self) -> Vec<ExporterStatus> {
        let exporting = self.exporting.get();
        exporting
            .map(|exporting| exporting.exporters.status())
            .unwrap_or_default()
    }

    fn test_export(&self, name: &str) -> Result<TestDelivery, ControlError> {
        let exporting = self.exporting.get().ok_or_else(|| not_found("exporter", name))?;
        Ok(exporting.exporters.test(name)?)
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<EventRecord>> {
        Self::subscribe(self)
    }
}
