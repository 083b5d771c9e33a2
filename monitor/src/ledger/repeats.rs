//! The cuts with the same rule and object: however many they are, they count at most twice their weight.
//!
//! What is kept is a function of the set of cuts, not of their order, and does not grow with their number: for each
//! weight (a changed scope can give the same rule another one) the two newest, and for each kind the newest.

use std::sync::Arc;

use crate::{ledger::cut::Cut, scope::words::Kind};

/// How often the same rule and object count within a window.
pub const AT_MOST: usize = 2;
/// Most weights that are kept apart; of more, the lightest are forgotten.
const WEIGHTS_MAX: usize = 8;

/// One cut that counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// When, in nanoseconds since 1970.
    pub time: i64,
    /// The event's id.
    pub event: Arc<str>,
}

/// All cuts of one account with the same rule and object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// The rule.
    pub rule: Arc<str>,
    /// The object.
    pub object: Arc<str>,
    /// How many acts, ever.
    pub count: u64,
    /// The earliest, in nanoseconds since 1970.
    pub first: i64,
    /// Each with its weight: the heaviest last, and of one weight the newest. Lists, though they are kept like maps:
    /// there are thousands of these values, and nearly all of them hold two marks and one kind.
    marks: Vec<(u32, Mark)>,
    /// Each with its latest time, in the order of the kinds.
    kinds: Vec<(Kind, i64)>,
}

/// What repeats amount to within one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Weight that counts.
    pub weight: u64,
    /// A bit for each kind, by its place in [`Kind::ALL`].
    pub kinds: u64,
}

impl Repeats {
    /// None yet.
    #[must_use]
    pub const fn new(rule: Arc<str>, object: Arc<str>) -> Self {
        Self {
            rule,
            object,
            count: 0,
            first: i64::MAX,
            marks: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// Takes in a cut.
    pub fn add(&mut self, cut: &Cut) {
        self.count = self.count.saturating_add(cut.count);
        self.first = self.first.min(cut.time);
        match self.kinds.binary_search_by_key(&cut.kind, |(kind, _)| *kind) {
            Ok(place) => self.kinds[place].1 = cut.time.max(self.kinds[place].1),
            Err(place) => {
                self.kinds.reserve_exact(1);
                self.kinds.insert(place, (cut.kind, cut.time));
            }
        }
        let mark = (
            cut.weight,
            Mark {
                time: cut.time,
                event: Arc::clone(&cut.event),
            },
        );
        for _ in 0..cut.count.min(AT_MOST as u64) {
            self.mark(mark.clone());
        }
    }

    /// Puts one more mark in its place, and forgets what it pushes out.
    fn mark(&mut self, mark: (u32, Mark)) {
        let weight = mark.0;
        let place = self.marks.partition_point(|known| *known <= mark);
        let of_weight = self.marks.partition_point(|(known, _)| *known < weight);
        let full = self.marks[of_weight..]
            .iter()
            .take_while(|(known, _)| *known == weight)
            .count()
            >= AT_MOST;
        if full {
            // The oldest of this weight makes room; it may be the one that comes.
            if place > of_weight {
                self.marks[of_weight..place].rotate_left(1);
                self.marks[place - 1] = mark;
            }
            return;
        }
        // Room for all that nearly every one of them will ever hold, and no more.
        self.marks
            .reserve_exact(AT_MOST.saturating_sub(self.marks.len()).max(1));
        self.marks.insert(place, mark);
        let mut weights = 0;
        let mut last = None;
        for (known, _) in &self.marks {
            weights += usize::from(last != Some(*known));
            last = Some(*known);
        }
        if weights > WEIGHTS_MAX {
            let lightest = self.marks[0].0;
            self.marks.retain(|(known, _)| *known != lightest);
        }
    }

    /// The marks that count in the window of `within` nanoseconds up to `at`, the heaviest first.
    pub fn counted(&self, at: i64, within: i64) -> impl Iterator<Item = (u32, &Mark)> {
        self.marks
            .iter()
            .rev()
            .map(|(weight, mark)| (*weight, mark))
            .filter(move |(_, mark)| holds(mark.time, at, within))
            .take(AT_MOST)
    }

    /// What they amount to in the window of `within` nanoseconds up to `at`.
    #[must_use]
    pub fn amount(&self, at: i64, within: i64) -> Amount {
        let weight = self
            .counted(at, within)
            .map(|(weight, _)| u64::from(weight))
            .sum();
        let kinds = self
            .kinds
            .iter()
            .filter(|(_, newest)| holds(*newest, at, within))
            .fold(0, |set, (kind, _)| set | bit(*kind));
        Amount { weight, kinds }
    }

    /// When [`Self::amount`] changes next by time alone; `None` where nothing is left to change.
    #[must_use]
    pub fn changes(&self, at: i64, within: i64) -> Option<i64> {
        let marks = self.marks.iter().map(|(_, mark)| mark.time);
        let times = marks.chain(self.kinds.iter().map(|(_, newest)| *newest));
        times
            .filter(|time| holds(*time, at, within))
            .map(|time| time.saturating_add(within))
            .min()
    }

    /// The latest cut.
    #[must_use]
    pub fn newest(&self) -> i64 {
        self.kinds
            .iter()
            .map(|(_, newest)| *newest)
            .max()
            .unwrap_or(i64::MIN)
    }

    /// Every kind of act among them.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.kinds.iter().map(|(kind, _)| *kind)
    }
}

/// Whether a cut counts: in full for the length of the window, and then no more.
const fn holds(time: i64, at: i64, within: i64) -> bool {
    at.saturating_sub(time) < within
}

/// The bit of a kind.
#[must_use]
pub fn bit(kind: Kind) -> u64 {
    const { assert!(Kind::ALL.len() <= 64) };
    1 << Kind::ALL.iter().position(|known| *known == kind).unwrap_or(63)
}
