//! Whose cuts are added up: a session's, an agent's, an owner's, a host's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    ledger::{cut::Cut, repeats::Repeats, window::Window},
    scope::model::Account,
};

/// Most pairs of rule and object that are kept apart in one account: far beyond any budget. Those on top count as one
/// more object of their rule.
pub const OBJECTS_MAX: usize = 16_384;
/// The object of what came on top of [`OBJECTS_MAX`].
pub const OTHERS: &str = "(other objects)";

/// An account by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// Of which kind.
    pub account: Account,
    /// Whose: a session's id, an agent's name, an owner's, a host's.
    pub name: Arc<str>,
}

impl AccountKey {
    /// The accounts that a cut is entered in.
    #[must_use]
    pub fn of(cut: &Cut) -> [Self; 4] {
        let key = |account, name: &Arc<str>| Self {
            account,
            name: Arc::clone(name),
        };
        [
            key(Account::Session, &cut.session),
            key(Account::Agent, &cut.agent),
            key(Account::Owner, &cut.owner),
            key(Account::Host, &cut.host),
        ]
    }
}

/// What is entered in one account.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    all: Vec<Option<Repeats>>,
    places: HashMap<(Arc<str>, Arc<str>), usize>,
    free: Vec<usize>,
    /// By length in nanoseconds.
    pub windows: BTreeMap<i64, Window>,
    /// Acts, ever.
    pub count: u64,
    /// Acts that were counted under [`OTHERS`].
    pub others: u64,
}

impl Entries {
    /// Enters a cut; `at` is the latest time known.
    pub fn add(&mut self, cut: &Cut, at: i64) {
        self.count = self.count.saturating_add(cut.count);
        let mut key = (Arc::clone(&cut.rule), Arc::clone(&cut.object));
        if !self.places.contains_key(&key) && self.places.len() >= OBJECTS_MAX {
            self.others = self.others.saturating_add(cut.count);
            key.1 = OTHERS.into();
        }
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let fresh = Some(Repeats::new(Arc::clone(&key.0), Arc::clone(&key.1)));
                let place = match self.free.pop() {
                    Some(place) => {
                        self.all[place] = fresh;
                        place
                    }
                    None => {
                        self.all.push(fresh);
                        self.all.len() - 1
                    }
                };
                *self.places.entry(key).or_insert(place)
            }
        };
        if let Some(repeats) = &mut self.all[place] {
            repeats.add(cut);
            for window in self.windows.values_mut() {
                window.refresh(place, repeats, at);
            }
        }
    }

    /// The window of `within` nanoseconds, at `at`.
    pub fn window(&mut self, within: i64, at: i64) -> &mut Window {
        let all = &self.all;
        let window = self
            .windows
            .entry(within)
            .or_insert_with(|| Window::new(within, all, at));
        window.advance(all, at);
        window
    }

    /// Forgets what is older than `keep` nanoseconds at `at`. True where nothing is left.
    pub fn forget(&mut self, keep: i64, at: i64) -> bool {
        for window in self.windows.values_mut() {
            window.advance(&self.all, at);
        }
        for place in 0..self.all.len() {
            let Some(old) = self.all[place].take_if(|repeats| at.saturating_sub(repeats.newest()) >= keep)
            else {
                continue;
            };
            self.places.remove(&(old.rule, old.object));
            self.free.push(place);
        }
        self.places.is_empty()
    }

    /// Every rule and object, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Repeats> {
        self.all.iter().flatten()
    }
}
