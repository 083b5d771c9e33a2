//! One length of time over which an account's cuts are added up, kept up to date as they come and go.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
};

use crate::{
    ledger::repeats::{Amount, Repeats},
    scope::words::{Kind, Step},
};

/// What each further kind of act adds, in percent.
pub const EACH_KIND: u64 = 25;
/// What kinds can add together, in percent.
pub const KINDS_MAX: u64 = 100;

/// What the cuts of a window add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum {
    /// Weight of all rules and objects, each at most twice.
    pub weight: u64,
    /// How many kinds of acts there are among them.
    pub kinds: u32,
}

impl Sum {
    /// What it is multiplied with for its kinds, in percent: one kind counts as it is, each further one a quarter more,
    /// up to double.
    #[must_use]
    pub fn percent(self) -> u64 {
        100 + (u64::from(self.kinds.saturating_sub(1)) * EACH_KIND).min(KINDS_MAX)
    }

    /// The sum in hundredths of a weight.
    #[must_use]
    pub fn hundredths(self) -> u64 {
        self.weight.saturating_mul(self.percent())
    }

    /// Whether a budget of `weight` is used up.
    #[must_use]
    pub fn uses_up(self, weight: u32) -> bool {
        self.hundredths() >= u64::from(weight) * 100
    }
}

/// A budget within its window: its weight, and its answer.
pub type Limit = (u32, Step);

/// A window of one length.
#[derive(Clone, Debug)]
pub struct Window {
    within: i64,
    held: Vec<Held>,
    due: BinaryHeap<Reverse<(i64, usize)>>,
    weight: u64,
    kinds: [u32; Kind::ALL.len()],
    /// Budgets of this length, and the sessions to which each was answered since it was used up.
    pub limits: BTreeMap<Limit, BTreeSet<Arc<str>>>,
}

/// What one rule and object count now.
#[derive(Clone, Copy, Debug)]
struct Held {
    amount: Amount,
    /// When it is looked at next; `i64::MAX` for never.
    waits: i64,
}

const NOTHING: Held = Held {
    amount: Amount { weight: 0, kinds: 0 },
    waits: i64::MAX,
};

impl Window {
    /// Over `within` nanoseconds, with what is there already.
    #[must_use]
    pub fn new(within: i64, all: &[Option<Repeats>], at: i64) -> Self {
        let mut window = Self {
            within,
            held: Vec::new(),
            due: BinaryHeap::new(),
            weight: 0,
            kinds: [0; Kind::ALL.len()],
            limits: BTreeMap::new(),
        };
        for (place, repeats) in all.iter().enumerate() {
            if let Some(repeats) = repeats {
                window.refresh(place, repeats, at);
            }
        }
        window
    }

    /// Looks again at one rule and object, whose place among all is `place`.
    pub fn refresh(&mut self, place: usize, repeats: &Repeats, at: i64) {
        if self.held.len() <= place {
            self.held.resize(place + 1, NOTHING);
        }
        let (old, new) = (self.held[place].amount, repeats.amount(at, self.within));
        self.weight = self.weight - old.weight + new.weight;
        for (number, count) in self.kinds.iter_mut().enumerate() {
            let holds = |kinds: u64| u32::from(kinds >> number & 1 != 0);
            *count = *count + holds(new.kinds) - holds(old.kinds);
        }
        self.held[place].amount = new;
        // One that came late can end before the one that is waited for.
        if let Some(changes) = repeats
            .changes(at, self.within)
            .filter(|changes| *changes < self.held[place].waits)
        {
            self.held[place].waits = changes;
            self.due.push(Reverse((changes, place)));
        }
    }

    /// Lets go of what is past the window at `at`.
    pub fn advance(&mut self, all: &[Option<Repeats>], at: i64) {
        while let Some(Reverse((time, place))) = self.due.peek().copied() {
            if time > at {
                break;
            }
            self.due.pop();
            if time >= self.held[place].waits {
                self.held[place].waits = i64::MAX;
            }
            if let Some(repeats) = &all[place] {
                self.refresh(place, repeats, at);
            }
        }
        let sum = self.sum();
        for ((weight, _), answered) in &mut self.limits {
            if !sum.uses_up(*weight) {
                answered.clear();
            }
        }
    }

    /// What it adds up to, at the time of the last [`Self::advance`].
    #[must_use]
    pub fn sum(&self) -> Sum {
        let kinds = self.kinds.iter().filter(|count| **count > 0).count();
        Sum {
            weight: self.weight,
            kinds: u32::try_from(kinds).unwrap_or(u32::MAX),
        }
    }

    /// Its length in nanoseconds.
    #[must_use]
    pub const fn within(&self) -> i64 {
        self.within
    }
}
