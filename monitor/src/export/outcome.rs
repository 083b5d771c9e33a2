//! What a destination made of a delivery.

use std::time::Duration;

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The destination has it.
    Accepted,
    /// It does not, and is to be asked again.
    Again,
    /// It will not take this one, ever; why.
    Refused(String),
}

/// Why a delivery did not succeed as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// In words: fits behind the exporter's name.
    pub why: String,
    /// How long the destination asks to be left alone.
    pub wait: Option<Duration>,
    /// It was the content that it would not take, as a whole: smaller deliveries tell which event it is.
    pub content: bool,
}

impl Trouble {
    /// Trouble that is over one day by itself.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            ..Self::default()
        }
    }

    /// The content was refused.
    #[must_use]
    pub fn content(why: impl Into<String>) -> Self {
        Self {
            content: true,
            ..Self::new(why)
        }
    }
}

/// What a destination made of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One for each event, in order.
    pub fates: Vec<Fate>,
    /// What was wrong, where something was.
    pub trouble: Option<Trouble>,
    /// Of those that were accepted, how many it threw away without saying which.
    pub unnamed: u64,
    /// Why it did.
    pub unnamed_why: String,
}

impl Outcome {
    /// All `count` events were taken.
    #[must_use]
    pub fn all(count: usize) -> Self {
        Self {
            fates: vec![Fate::Accepted; count],
            trouble: None,
            unnamed: 0,
            unnamed_why: String::new(),
        }
    }

    /// The first `taken` of `count` events were taken, and then came `trouble`.
    #[must_use]
    pub fn some(taken: usize, count: usize, trouble: Trouble) -> Self {
        let mut outcome = Self::all(count);
        outcome.fates[taken.min(count)..].fill(Fate::Again);
        outcome.trouble = Some(trouble);
        outcome
    }

    /// None of `count` events was taken.
    #[must_use]
    pub fn none(count: usize, trouble: Trouble) -> Self {
        Self::some(0, count, trouble)
    }
}
