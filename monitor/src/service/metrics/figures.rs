//! What is counted as it is told: verdicts, how long telling took, acts and cuts by agent.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use crate::{
    attribute::sessions::Session,
    record::event::EventRecord,
    scope::words::{Kind, Response, Tier, When},
};

/// Most series of verdicts: rules are people's words, and a host can have many scopes. What comes on top is counted
/// under [`OTHER`].
const SERIES_MAX: usize = 2_000;
/// What stands for the scope and rule that found no room.
pub(super) const OTHER: &str = "(other)";
/// Upper ends of the buckets of the time from an act to its record, seconds.
pub(super) const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// What a verdict is counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VerdictKey {
    pub(super) scope: String,
    pub(super) rule: String,
    pub(super) kind: Kind,
    pub(super) called_for: Response,
    pub(super) applied: Response,
    pub(super) when: When,
    pub(super) tier: Tier,
}

/// Acts and cuts of an agent since the daemon started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) acts: u64,
    pub(super) cuts: u64,
}

/// The counters.
#[derive(Debug, Default)]
pub struct Figures {
    pub(super) verdicts: BTreeMap<VerdictKey, u64>,
    pub(super) agents: BTreeMap<String, Sums>,
    seen: BTreeMap<u64, Sums>,
    /// One for each of [`BUCKETS`], not yet added up, and one for what is above.
    pub(super) latency: [u64; BUCKETS.len() + 1],
    pub(super) latency_sum: Duration,
}

impl Figures {
    /// Counts a record that is told at `now`.
    pub fn told(&mut self, record: &EventRecord, now: Timestamp) {
        let verdict = &record.verdict;
        let mut key = VerdictKey {
            scope: verdict.scope.clone(),
            rule: verdict.rule.clone().unwrap_or_else(|| "(default)".to_owned()),
            kind: record.act.kind,
            called_for: verdict.called_for,
            applied: verdict.applied,
            when: verdict.when,
            tier: verdict.tier,
        };
        if self.verdicts.len() >= SERIES_MAX && !self.verdicts.contains_key(&key) {
            OTHER.clone_into(&mut key.scope);
            OTHER.clone_into(&mut key.rule);
        }
        *self.verdicts.entry(key).or_default() += record.count;
        // A clock that was set meanwhile gives no time below zero.
        let took = Duration::try_from(now.duration_since(record.time)).unwrap_or_default();
        let bucket = BUCKETS
            .iter()
            .position(|end| took.as_secs_f64() <= *end)
            .unwrap_or(BUCKETS.len());
        self.latency[bucket] += 1;
        self.latency_sum += took;
    }

    /// Takes over what the kernel counted for each session.
    pub fn counted<'s>(&mut self, sessions: impl Iterator<Item = (u64, &'s Session)>) {
        let mut seen = BTreeMap::new();
        for (key, session) in sessions {
            let now = Sums {
                acts: session.acts + session.cuts + session.own_cuts,
                cuts: session.cuts + session.own_cuts,
            };
            let before = self.seen.get(&key).copied().unwrap_or_default();
            let agent = self.agents.entry(session.facts.agent.clone()).or_default();
            agent.acts += now.acts.saturating_sub(before.acts);
            agent.cuts += now.cuts.saturating_sub(before.cuts);
            seen.insert(key, now);
        }
        // Those that are forgotten do not come back.
        self.seen = seen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::sample;

    #[test]
    fn rules_without_end_do_not_grow_it_without_end() {
        let mut figures = Figures::default();
        let mut record = sample::event(1);
        for number in 0..3_000 {
            record.verdict.rule = Some(format!("files.rule[{number}]"));
            figures.told(&record, record.time);
        }
        assert!(figures.verdicts.len() <= SERIES_MAX + 1);
        assert_eq!(figures.verdicts.values().sum::<u64>(), 3_000 * record.count);
        assert_eq!(figures.latency[0], 3_000);
        let late = record
            .time
            .checked_add(jiff::SignedDuration::from_secs(60))
            .unwrap();
        figures.told(&record, late);
        assert_eq!(figures.latency[BUCKETS.len()], 1);
    }
}
