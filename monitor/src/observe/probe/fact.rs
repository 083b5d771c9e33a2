//! One thing that was found out.

use serde::Serialize;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is there, and was seen to work where that can be tried.
    Ok,
    /// It is not there.
    Missing,
    /// It is there in part, or this version of Scopeward makes no use of it.
    Limited,
    /// It was not tried: that needs rights.
    Untried,
}

impl State {
    /// The word that people read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Limited => "limited",
            Self::Untried => "untried",
        }
    }
}

/// One thing that was found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// About what.
    pub what: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found, in words.
    pub found: String,
    /// The exact change that would make it better, where there is one.
    pub change: Option<String>,
}

impl Fact {
    pub(crate) fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self {
            what,
            state: State::Ok,
            found: found.into(),
            change: None,
        }
    }

    pub(crate) fn limited(what: &'static str, found: impl Into<String>) -> Self {
        Self {
            what,
            state: State::Limited,
            found: found.into(),
            change: None,
        }
    }

    pub(crate) fn missing(what: &'static str, found: impl Into<String>) -> Self {
        Self {
            what,
            state: State::Missing,
            found: found.into(),
            change: None,
        }
    }

    pub(crate) fn untried(what: &'static str) -> Self {
        Self {
            what,
            state: State::Untried,
            found: "not tried: that needs root".into(),
            change: None,
        }
    }

    pub(crate) fn with(mut self, change: impl Into<String>) -> Self {
        self.change = Some(change.into());
        self
    }
}
