//! The ledger itself: cuts in, used-up budgets out.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    ledger::{
        account::{AccountKey, Entries},
        cut::Cut,
        tally::{self, Line},
        window::Sum,
    },
    scope::{
        model::{Account, Budget},
        words::Step as Ladder,
    },
};

/// Cuts are kept for as long as any budget asks for them, and at least this long: 7 days, in nanoseconds.
const KEEP: i64 = 7 * 86_400 * 1_000_000_000;
/// How many of the cuts that used up a budget its step names.
const NAMED: usize = 8;

/// The cuts of all accounts. Its state is a function of the set of cuts and the latest time, not of their order.
#[derive(Clone, Debug)]
pub struct Ledger {
    accounts: BTreeMap<AccountKey, Entries>,
    latest: i64,
    keep: i64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            accounts: BTreeMap::new(),
            latest: i64::MIN,
            keep: KEEP,
        }
    }
}

/// A step of the ladder: a budget of the session's scope is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The budget's place among those of the scope.
    pub number: usize,
    /// The budget.
    pub budget: Budget,
    /// Whose account it is.
    pub name: Arc<str>,
    /// What the cuts add up to.
    pub sum: Sum,
    /// The cuts that brought it there, the heaviest first, at most eight.
    pub because: Vec<Line>,
    /// How many more rules and objects there are.
    pub more: usize,
}

impl Ledger {
    /// Takes in a cut of a session that is held to `budgets`, and says which of them it uses up, the weakest answer
    /// first. A budget is answered once for as long as it stays used up (`flag`), or once for each session that adds to
    /// it (`freeze`, `kill`).
    pub fn take(&mut self, cut: &Cut, budgets: &[Budget]) -> Vec<Step> {
        self.latest = self.latest.max(cut.time);
        let at = self.latest;
        let keys = AccountKey::of(cut);
        let before: Vec<Sum> = budgets
            .iter()
            .map(|budget| self.sum(&keys[place(budget.account)], length(budget), at))
            .collect();
        for key in &keys {
            self.accounts.entry(key.clone()).or_default().add(cut, at);
        }
        let mut steps = Vec::new();
        for (number, (budget, before)) in budgets.iter().zip(before).enumerate() {
            let key = &keys[place(budget.account)];
            let Some(entries) = self.accounts.get_mut(key) else {
                continue;
            };
            let window = entries.window(length(budget), at);
            let sum = window.sum();
            let answered = window.limits.entry((budget.weight, budget.response)).or_default();
            let again = match budget.response {
                Ladder::Tighten | Ladder::Freeze | Ladder::Kill => answered.contains(&cut.session),
                _ => !answered.is_empty(),
            };
            if !sum.uses_up(budget.weight) || sum <= before || again {
                continue;
            }
            answered.insert(Arc::clone(&cut.session));
            let mut because = tally::lines(entries, length(budget), at);
            let more = because.len().saturating_sub(NAMED);
            because.truncate(NAMED);
            steps.push(Step {
                number,
                budget: budget.clone(),
                name: Arc::clone(&key.name),
                sum,
                because,
                more,
            });
        }
        steps.sort_by_key(|step| (step.budget.response, step.number));
        steps
    }

    /// A person let the session go on: what it adds from now on to a budget that is still used up is answered again.
    pub fn thawed(&mut self, session: &str) {
        for window in self
            .accounts
            .values_mut()
            .flat_map(|entries| entries.windows.values_mut())
        {
            for ((_, response), answered) in &mut window.limits {
                if *response > Ladder::Flag {
                    answered.remove(session);
                }
            }
        }
    }

    /// Forgets what is too old to count at `now`, in nanoseconds since 1970.
    pub fn forget(&mut self, now: i64) {
        self.latest = self.latest.max(now);
        let (keep, at) = (self.keep, self.latest);
        self.accounts.retain(|_, entries| !entries.forget(keep, at));
    }

    /// What an account adds up to over `within` nanoseconds, at `now` or the latest time known.
    pub fn sum(&mut self, key: &AccountKey, within: i64, now: i64) -> Sum {
        self.latest = self.latest.max(now);
        self.keep = self.keep.max(within);
        let at = self.latest;
        self.accounts
            .get_mut(key)
            .map(|entries| entries.window(within, at).sum())
            .unwrap_or_default()
    }

    /// The accounts of one kind, by name.
    pub fn accounts(&self, account: Account) -> impl Iterator<Item = (&AccountKey, &Entries)> {
        self.accounts
            .iter()
            .filter(move |(key, _)| key.account == account)
    }

    /// An account, with what is past its windows let go at `now`, or at the latest time known; and that time.
    pub fn account(&mut self, key: &AccountKey, now: i64) -> Option<(&mut Entries, i64)> {
        self.latest = self.latest.max(now);
        let at = self.latest;
        Some((self.accounts.get_mut(key)?, at))
    }
}

/// The length of a budget, in nanoseconds.
#[must_use]
pub fn length(budget: &Budget) -> i64 {
    i64::try_from(budget.within.as_nanos()).unwrap_or(i64::MAX)
}

/// The place of an account among [`AccountKey::of`].
#[must_use]
pub const fn place(account: Account) -> usize {
    match account {
        Account::Session => 0,
        Account::Agent => 1,
        Account::Owner => 2,
        Account::Host => 3,
    }
}
