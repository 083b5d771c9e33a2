//! The arithmetic, as `scopeward cuts` prints it.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    ledger::{
        account::{AccountKey, Entries},
        book::Ledger,
        cut::timestamp,
        window::Sum,
    },
    scope::{
        model::Account,
        words::{Kind, Step},
    },
};

/// What is shown of an account without a budget: a day.
const DAY: i64 = 86_400 * 1_000_000_000;

/// What one rule and object count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// The rule.
    pub rule: String,
    /// The object.
    pub object: String,
    /// Kinds of acts.
    pub kinds: Vec<Kind>,
    /// How many acts, ever.
    pub cuts: u64,
    /// The weight of one, the heaviest.
    pub weight: u32,
    /// What counts of it: at most twice the weight.
    pub counts: u64,
    /// The latest event that counts.
    pub event: String,
    /// When that was.
    pub time: jiff::Timestamp,
}

/// How far a budget is used up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// How much may gather.
    pub weight: u32,
    /// In how many seconds.
    pub within: u64,
    /// What is done when it is used up.
    pub response: Step,
    /// What has gathered.
    pub sum: f64,
}

/// The arithmetic of one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// `session`, `agent`, `owner`, `host` or `rule`.
    pub by: String,
    /// Whose.
    pub name: String,
    /// Acts outside the scope, ever.
    pub cuts: u64,
    /// The window that the lines are of, in seconds: that of the budget that is nearest to its end, or a day.
    pub within: u64,
    /// What the lines add up to.
    pub weight: u64,
    /// Different kinds of acts among them.
    pub kinds: u32,
    /// What the weight is multiplied with for its kinds, in percent.
    pub percent: u64,
    /// `weight × percent / 100`.
    pub sum: f64,
    /// The budgets that this account is held against.
    pub budgets: Vec<Use>,
    /// What counts, the heaviest first.
    pub lines: Vec<Line>,
    /// Acts on objects beyond those that are kept apart.
    pub others: u64,
}

/// The lines of a window that count, the heaviest first, then the newest.
#[must_use]
pub fn lines(entries: &Entries, within: i64, at: i64) -> Vec<Line> {
    let mut lines: Vec<Line> = entries
        .iter()
        .filter_map(|repeats| {
            let counted: Vec<_> = repeats.counted(at, within).collect();
            let (weight, _) = counted.first()?;
            let newest = counted.iter().map(|(_, mark)| mark).max()?;
            Some(Line {
                rule: repeats.rule.to_string(),
                object: repeats.object.to_string(),
                kinds: repeats.kinds().collect(),
                cuts: repeats.count,
                weight: *weight,
                counts: counted.iter().map(|(weight, _)| u64::from(*weight)).sum(),
                event: newest.event.to_string(),
                time: timestamp(newest.time),
            })
        })
        .collect();
    lines.sort_by(|one, other| {
        (other.counts, other.time)
            .cmp(&(one.counts, one.time))
            .then_with(|| (&one.rule, &one.object).cmp(&(&other.rule, &other.object)))
    });
    lines
}

/// Hundredths as a number.
#[must_use]
pub fn number(sum: Sum) -> f64 {
    // Weights and their sums are far below 2^52 hundredths.
    sum.hundredths() as f64 / 100.0
}

fn seconds(within: i64) -> u64 {
    Duration::from_nanos(within.unsigned_abs()).as_secs()
}

impl Ledger {
    /// The arithmetic of every account of one kind that `wanted` asks for, at `now` in nanoseconds since 1970.
    pub fn tallies(&mut self, account: Account, now: i64, wanted: &dyn Fn(&str) -> bool) -> Vec<Tally> {
        let keys: Vec<AccountKey> = self
            .accounts(account)
            .map(|(key, _)| key.clone())
            .filter(|key| wanted(&key.name))
            .collect();
        keys.iter().filter_map(|key| self.tally(key, now)).collect()
    }

    fn tally(&mut self, key: &AccountKey, now: i64) -> Option<Tally> {
        let (entries, at) = self.account(key, now)?;
        let lengths: Vec<i64> = entries.windows.keys().copied().collect();
        let mut budgets = Vec::new();
        let mut nearest: Option<(u64, i64)> = None;
        for within in lengths {
            let window = entries.window(within, at);
            let sum = window.sum();
            for (weight, response) in window.limits.keys() {
                budgets.push(Use {
                    weight: *weight,
                    within: seconds(within),
                    response: *response,
                    sum: number(sum),
                });
                let share = sum.hundredths() / u64::from((*weight).max(1));
                if nearest.is_none_or(|(most, _)| share > most) {
                    nearest = Some((share, within));
                }
            }
        }
        let within = nearest.map_or(DAY, |(_, within)| within);
        let sum = entries.window(within, at).sum();
        Some(Tally {
            by: word(key.account).to_owned(),
            name: key.name.to_string(),
            cuts: entries.count,
            within: seconds(within),
            weight: sum.weight,
            kinds: sum.kinds,
            percent: sum.percent(),
            sum: number(sum),
            budgets,
            lines: lines(entries, within, at),
            others: entries.others,
        })
    }

    /// The cuts of the hosts' accounts within a day, by rule: the objects of each rule are its lines.
    pub fn by_rule(&mut self, now: i64, wanted: &dyn Fn(&str) -> bool) -> Vec<Tally> {
        let mut rules: std::collections::BTreeMap<Arc<str>, Tally> = std::collections::BTreeMap::new();
        let keys: Vec<AccountKey> = self
            .accounts(Account::Session)
            .map(|(key, _)| key.clone())
            .filter(|key| wanted(&key.name))
            .collect();
        for key in keys {
            let Some((entries, at)) = self.account(&key, now) else {
                continue;
            };
            for line in lines(entries, DAY, at) {
                let rule: Arc<str> = line.rule.as_str().into();
                let tally = rules.entry(Arc::clone(&rule)).or_insert_with(|| Tally {
                    by: "rule".to_owned(),
                    name: rule.to_string(),
                    cuts: 0,
                    within: seconds(DAY),
                    weight: 0,
                    kinds: 0,
                    percent: 100,
                    sum: 0.0,
                    budgets: Vec::new(),
                    lines: Vec::new(),
                    others: 0,
                });
                tally.cuts = tally.cuts.saturating_add(line.cuts);
                tally.weight += line.counts;
                tally.sum += line.counts as f64;
                tally.lines.push(line);
            }
        }
        rules.into_values().collect()
    }
}

/// The word of an account.
#[must_use]
pub const fn word(account: Account) -> &'static str {
    match account {
        Account::Session => "session",
        Account::Agent => "agent",
        Account::Owner => "owner",
        Account::Host => "host",
    }
}
