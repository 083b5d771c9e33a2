//! What is shown, apart from how.

use jiff::Timestamp;

use crate::api::types::{Pending, SessionInfo, SessionState, Status};

/// A decision that a key has asked for, and that another key has to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Grant what the pending session asks for, and let it go on.
    Approve(Pending),
    /// End the session.
    Deny(Pending),
    /// Let it go on without a grant.
    Thaw(Pending),
}

/// Everything on the screen.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) status: Option<Status>,
    pub(super) sessions: Vec<SessionInfo>,
    pub(super) pending: Vec<Pending>,
    /// The pending session that keys are about.
    pub(super) selected: usize,
    /// What waits for a confirmation.
    pub(super) asked: Option<Decision>,
    /// What was said last: the answer to a decision, or why nothing can be shown.
    pub(super) message: String,
    pub(super) now: Timestamp,
    pub(super) colours: bool,
}

impl View {
    pub(super) fn new(colours: bool) -> Self {
        Self {
            status: None,
            sessions: Vec::new(),
            pending: Vec::new(),
            selected: 0,
            asked: None,
            message: "asking the daemon…".to_owned(),
            now: Timestamp::now(),
            colours,
        }
    }

    /// Takes in what the daemon answered. The selection stays with its session.
    pub(super) fn take(&mut self, status: Status, sessions: Vec<SessionInfo>, pending: Vec<Pending>) {
        let chosen = self.pending.get(self.selected).map(|one| one.session.clone());
        self.selected = chosen
            .and_then(|chosen| pending.iter().position(|one| one.session == chosen))
            .unwrap_or_else(|| self.selected.min(pending.len().saturating_sub(1)));
        self.status = Some(status);
        self.sessions = sessions;
        self.sessions
            .retain(|one| matches!(one.status, SessionState::Running | SessionState::Frozen(_)));
        // Those that wait first, then those with most cuts.
        self.sessions.sort_by_key(|one| {
            (
                !matches!(one.status, SessionState::Frozen(_)),
                u64::MAX - one.cuts,
            )
        });
        self.pending = pending;
        self.now = Timestamp::now();
        // What was asked is about a session that may have been decided about elsewhere.
        let gone = self.asked.as_ref().is_some_and(|decision| {
            let about = decision.about();
            !self
                .pending
                .iter()
                .any(|one| one.session == about.session && one.event == about.event)
        });
        if gone {
            self.asked = None;
            self.message = "decided elsewhere meanwhile".to_owned();
        }
    }

    /// Events that were lost since the daemon's start.
    pub(super) fn losses(&self) -> u64 {
        self.status.as_ref().map_or(0, |status| {
            status.losses.values().sum::<u64>() + status.store.lost + status.store.lost_cuts
        })
    }
}

impl Decision {
    pub(super) const fn about(&self) -> &Pending {
        match self {
            Self::Approve(pending) | Self::Deny(pending) | Self::Thaw(pending) => pending,
        }
    }
}
