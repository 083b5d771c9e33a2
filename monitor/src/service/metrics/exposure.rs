//! How far budgets are used up, and what is exposed just now, as Prometheus reads them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::families::number;
use super::text::{Kind, Text};
use crate::ledger::incidents::Incident;
use crate::ledger::tally::Tally;

/// Most accounts that are shown by name: those that are used up furthest.
const NAMED: usize = 200;

/// A budget of an account: whose, for how much within how many seconds, and the answer.
type BudgetKey = (String, String, u32, u64, &'static str);

/// How far the budgets of `tallies` are used up, 1 for wholly. Sessions come and go: of theirs the furthest is shown,
/// without a name.
fn levels(tallies: &[Tally]) -> Vec<(BudgetKey, f64)> {
    let mut shares: BTreeMap<BudgetKey, f64> = BTreeMap::new();
    for tally in tallies {
        let name = if tally.by == "session" { "" } else { &tally.name };
        for budget in &tally.budgets {
            let key = (
                tally.by.clone(),
                name.to_owned(),
                budget.weight,
                budget.within,
                budget.response.word(),
            );
            let share = shares.entry(key).or_default();
            *share = share.max(budget.sum / f64::from(budget.weight.max(1)));
        }
    }
    let mut levels: Vec<_> = shares.into_iter().collect();
    levels.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    levels.truncate(NAMED);
    levels
}

/// What is exposed of one agent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Exposure {
    open: u64,
    oldest: f64,
    credentials: u64,
}

/// The exposure windows that are open at `now`, by agent; an agent all of whose windows are closed has zeros.
fn exposures(incidents: &[Incident], now: Timestamp) -> BTreeMap<&str, Exposure> {
    let mut agents: BTreeMap<&str, Exposure> = BTreeMap::new();
    for incident in incidents {
        let exposure = agents.entry(&incident.agent).or_default();
        if incident.closed().is_none() {
            exposure.open += 1;
            exposure.oldest = exposure
                .oldest
                .max(now.duration_since(incident.began).as_secs_f64());
            exposure.credentials += incident.credentials.len() as u64;
        }
    }
    agents
}

/// All families of budgets and exposure.
pub(super) fn write(tallies: &[Tally], incidents: &[Incident], now: Timestamp, text: &mut Text) {
    let mut family = text.family(
        "scopeward_budget_used_ratio",
        Kind::Gauge,
        "How far a budget is used up, 1 for wholly; of sessions' budgets the furthest",
    );
    for ((by, name, weight, within, response), share) in levels(tallies) {
        let (weight, within) = (weight.to_string(), within.to_string());
        family.value(
            &[
                ("by", &by),
                ("name", &name),
                ("weight", &weight),
                ("within_seconds", &within),
                ("response", response),
            ],
            share,
        );
    }
    let exposures = exposures(incidents, now);
    let mut one = |name, help, read: fn(&Exposure) -> f64| {
        let mut family = text.family(name, Kind::Gauge, help);
        for (agent, exposure) in &exposures {
            family.value(&[("agent", agent)], read(exposure));
        }
    };
    one(
        "scopeward_exposure_open",
        "Incidents that are not contained, of sessions that go on",
        |exposure| number(exposure.open),
    );
    one(
        "scopeward_exposure_open_seconds",
        "For how long the oldest of these is open",
        |exposure| exposure.oldest,
    );
    one(
        "scopeward_exposed_credentials",
        "Credentials that were read in these",
        |exposure| number(exposure.credentials),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ledger::tally::Use;
    use crate::scope::words::Step;

    fn tally(by: &str, name: &str, sum: f64) -> Tally {
        let budget = Use {
            weight: 100,
            within: 3_600,
            response: Step::Freeze,
            sum,
        };
        Tally {
            by: by.to_owned(),
            name: name.to_owned(),
            cuts: 1,
            within: 3_600,
            weight: 1,
            kinds: 1,
            percent: 100,
            sum,
            budgets: vec![budget],
            lines: Vec::new(),
            others: 0,
        }
    }

    fn incident(agent: &str, began: &str, ended: Option<&str>) -> Incident {
        serde_json::from_value(json!({
            "id": "i-1", "session": "s-1", "agent": agent, "owner": "dev", "uid": 1000, "host": "h", "began": began, "first": "f",
            "last": began, "cuts": 1, "weight": 20, "kinds": [], "detected": null, "contained": null, "ended": ended,
            "credentials": [{"path": "/p", "class": "c", "event": "e", "time": began, "reader": "cat", "pid": 1}],
            "endpoints": [], "bytes_out": null, "unnamed": 0,
        }))
        .unwrap()
    }

    #[test]
    fn sessions_show_the_furthest_and_others_their_names() {
        let tallies = [
            tally("session", "s-1", 20.0),
            tally("session", "s-2", 70.0),
            tally("agent", "codex", 150.0),
        ];
        let shown: Vec<_> = levels(&tallies)
            .into_iter()
            .map(|((by, name, ..), share)| (by, name, share))
            .collect();
        assert_eq!(
            shown,
            [
                ("agent".to_owned(), "codex".to_owned(), 1.5),
                ("session".to_owned(), String::new(), 0.7)
            ]
        );
    }

    #[test]
    fn only_open_windows_are_exposure() {
        let now: Timestamp = "2026-03-01T10:01:00Z".parse().unwrap();
        let incidents = [
            incident("codex", "2026-03-01T10:00:00Z", None),
            incident("codex", "2026-03-01T10:00:30Z", None),
            incident("codex", "2026-03-01T09:00:00Z", Some("2026-03-01T09:10:00Z")),
            incident("claude", "2026-03-01T09:00:00Z", Some("2026-03-01T09:10:00Z")),
        ];
        let mut text = Text::default();
        write(&[], &incidents, now, &mut text);
        let text = text.into_string();
        for line in [
            "scopeward_exposure_open{agent=\"codex\"} 2",
            "scopeward_exposure_open{agent=\"claude\"} 0",
            "scopeward_exposure_open_seconds{agent=\"codex\"} 60",
            "scopeward_exposed_credentials{agent=\"codex\"} 2",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
    }
}
