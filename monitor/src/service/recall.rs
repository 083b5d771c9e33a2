//! The ledger after a start: the cuts that earlier daemons stored, entered again, each once.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    attribute::sessions::SessionState,
    ledger::cut::Cut,
    pipeline::Monitor,
    record::{
        event::EventRecord,
        filter::{Filter, Order},
        store::Store,
    },
    scope::words::Response,
    service::state::State,
};

/// What budgets can look back at, at least; those of the scopes in force can ask for more.
const BACK: Duration = Duration::from_secs(7 * 86_400);
/// Cuts that are entered under one hold of the lock.
const BATCH: usize = 256;

/// Enters what is stored, on a thread of its own: the ledger does not depend on the order of cuts, so what happens
/// meanwhile is counted as well. Must be called before the ring is read: later events get later ids than those stored,
/// which is how both are told apart.
pub fn begin(monitor: &Arc<Monitor>) {
    let Some(boundary) = monitor.store().and_then(latest) else {
        return;
    };
    if let Ok(id) = ulid::Ulid::from_string(&boundary) {
        monitor.lock().last_id = Some(id);
    }
    let own = Arc::clone(monitor);
    monitor.spawn("recall", move || recall(&own, &boundary));
}

/// The id of the last event that is stored.
fn latest(store: &Store) -> Option<String> {
    let filter = Filter {
        limit: Some(1),
        order: Order::Newest,
        ..Filter::default()
    };
    Some(store.query(&filter).ok()?.pop()?.id)
}

fn recall(monitor: &Monitor, boundary: &str) {
    let Some(store) = monitor.store() else { return };
    let back = monitor.lock().longest_budget().max(BACK);
    let back = SignedDuration::try_from(back).unwrap_or(SignedDuration::MAX);
    let filter = Filter {
        verdict: vec![Response::Flag, Response::Deny, Response::Freeze, Response::Kill],
        since: Timestamp::now().checked_sub(back).ok(),
        ..Filter::default()
    };
    let mut batch = Vec::with_capacity(BATCH);
    let mut visit = |event: EventRecord| {
        if monitor.stopping() || event.id.as_str() > boundary {
            return ControlFlow::Break(());
        }
        batch.push(event);
        if batch.len() == BATCH {
            monitor.lock().remember(&std::mem::take(&mut batch));
        }
        ControlFlow::Continue(())
    };
    if let Err(error) = store.visit(&filter, &mut visit) {
        tracing::warn!(%error, "the ledger may lack cuts from before the start");
        monitor.lock().set_degraded(
            "ledger",
            Some(format!(
                "the ledger may lack cuts from before the start: failed to {error}"
            )),
        );
    }
    let mut state = monitor.lock();
    state.remember(&batch);
    // What a person let go on before the start is answered again with its next cut.
    let running: Vec<String> = state
        .sessions
        .live()
        .filter(|(_, session)| session.state == SessionState::Running)
        .map(|(_, session)| session.facts.id.clone())
        .collect();
    for name in running {
        state.ledger.thawed(&name);
    }
}

impl State {
    /// Enters cuts that were answered before.
    fn remember(&mut self, events: &[EventRecord]) {
        for event in events {
            let Some(cut) = Cut::of(event) else { continue };
            let session = self
                .sessions
                .key(&event.session.id)
                .and_then(|key| self.sessions.get(key));
            let budgets = session.map_or_else(Vec::new, |session| self.budgets(session.policy));
            // Answered by the daemon that recorded it.
            drop(self.ledger.take(&cut, &budgets));
        }
    }

    /// The longest window of any budget in force.
    fn longest_budget(&self) -> Duration {
        let loaded = self.scopes.iter().map(|loaded| &loaded.scope);
        let held = self.policies.iter().map(|(_, policy)| &policy.scope);
        loaded
            .chain(held)
            .flat_map(|scope| &scope.budgets)
            .map(|budget| budget.within)
            .max()
            .unwrap_or_default()
    }
}
