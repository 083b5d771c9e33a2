//! The kernel's verdict on a cut, checked with the same pure function that `scope check` and `replay` use.

use crate::{
    decide::{evaluate::evaluate, facts::facts},
    record::event::EventRecord,
    service::state::State,
};

/// The rule that answers what is new to a tightened session.
const TIGHTENED: &str = "tightened";

impl State {
    /// Counts a cut for which [`evaluate`] calls for something else than the kernel did: shown in `status`, because one
    /// of the two is wrong then.
    pub fn look_again(&mut self, policy: u32, record: &EventRecord) {
        if self.agrees(policy, record) == Some(false) {
            tracing::warn!(event = record.id, "kernel and evaluate differ");
            self.trouble("verdicts that user space would give otherwise");
        }
    }

    /// `None` where there is nothing to compare: the object was not resolved, or the scope is not known.
    fn agrees(&self, policy: u32, record: &EventRecord) -> Option<bool> {
        if record.verdict.rule.as_deref() == Some(TIGHTENED) {
            // What a session has used is known in the kernel alone.
            return None;
        }
        let scope = &self.policies.get(policy)?.scope;
        let above: Vec<String> = self
            .processes
            .chain(record.process.pid)
            .into_iter()
            .skip(1)
            .filter_map(|(_, process)| process.exe.as_deref().map(str::to_owned))
            .collect();
        record.act.path.as_ref().or(record.act.protocol.as_ref())?;
        let facts = facts(&record.act, &record.process, &above).ok()?;
        let strongest = facts.iter().map(|fact| evaluate(scope, fact).response).max()?;
        Some(strongest == record.verdict.called_for)
    }
}
