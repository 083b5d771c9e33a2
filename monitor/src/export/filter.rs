//! Which events an exporter is for.

use crate::record::event::EventRecord;
use crate::scope::name_glob::NameGlob;
use crate::scope::words::{Kind, Response};

/// What an event must be. An empty list asks nothing; entries of one list are alternatives; all fields must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Kinds of acts.
    pub kinds: Vec<Kind>,
    /// Verdicts: called for, or applied.
    pub verdicts: Vec<Response>,
    /// Agents, by name; `*` stands for anything.
    pub agents: Vec<NameGlob>,
    /// The least weight.
    pub least_weight: u32,
}

impl ExportFilter {
    /// Whether `event` is wanted.
    #[must_use]
    pub fn matches(&self, event: &EventRecord) -> bool {
        let verdict = &event.verdict;
        (self.kinds.is_empty() || self.kinds.contains(&event.act.kind))
            && (self.verdicts.is_empty()
                || self.verdicts.contains(&verdict.called_for)
                || self.verdicts.contains(&verdict.applied))
            && (self.agents.is_empty()
                || self
                    .agents
                    .iter()
                    .any(|agent| agent.matches(&event.session.agent)))
            && event.weight >= self.least_weight
    }
}
