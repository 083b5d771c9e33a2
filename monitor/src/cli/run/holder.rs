//! What holds the session of a run: the daemon, or this process itself.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use nix::unistd::Pid;

use super::telling::Telling;
use crate::{
    api::{client::ClientError, report::Report, types::ScopeChoice},
    scope::words::Mode,
};

/// Why the command cannot be held. It then does not run.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// The daemon, or the way to it.
    #[error(transparent)]
    Daemon(#[from] ClientError),
    /// The scope has errors, or does not exist: exit 2.
    #[error("{why}")]
    Scope {
        /// What is wrong; may have several lines.
        why: String,
        /// What to do about it; may be empty.
        remedy: String,
    },
    /// More privileges are needed: exit 3.
    #[error("{why}")]
    Privileges {
        /// One sentence.
        why: String,
        /// What to do about it.
        remedy: String,
    },
    /// This kernel cannot: exit 5.
    #[error("{why}")]
    Unsupported {
        /// One sentence.
        why: String,
        /// What would still work.
        remedy: String,
    },
    /// Anything else: exit 1.
    #[error("failed to {0}")]
    Failed(String),
}

/// How the command is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The session's id.
    pub session: String,
    /// The name of the scope that holds it.
    pub scope: String,
    /// Whether that is one that comes with Scopeward, unchanged.
    pub built_in: bool,
    /// The mode in force.
    pub mode: Mode,
    /// What the running tiers cannot hold of this scope, one sentence each.
    pub warnings: Vec<String>,
}

/// What is waited for once the command has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remaining {
    /// Nothing.
    Nothing,
    /// The event that says why the command was killed.
    Kill,
    /// The event that says why the command was not let run.
    Denial,
    /// Every event of the session up to its end.
    Events,
}

/// Holds one session. All its calls come from the thread that waits for the command; it may have threads of its own,
/// which must be started after [`super::run`] has forked the command (they then have its signals blocked).
pub trait Holder {
    /// Holds process `pid`, which has not run its first instruction, and all that comes from it.
    ///
    /// # Errors
    /// [`HoldError`]; the process is then in no session, and is killed by the caller.
    fn enrol(&mut self, pid: Pid, scope: &ScopeChoice, mode: Option<Mode>) -> Result<Enrolment, HoldError>;

    /// From now on, hands every event of the session to [`Telling::event`] (at least those that
    /// [`Telling::wants`]). Called once, after [`Holder::enrol`] and before the command is released.
    ///
    /// # Errors
    /// [`HoldError`]; the command is then killed.
    fn follow(&mut self, telling: Arc<Mutex<Telling>>) -> Result<(), HoldError>;

    /// Whether the session is frozen by Scopeward now; `None` while nobody can say, because the daemon is away. Asked
    /// when the command was stopped by `SIGSTOP`, once it had the time to be known; must answer within a second.
    fn frozen(&mut self) -> Option<bool>;

    /// The command has ended: waits until what remains has been handed over ([`Telling::has`]; for every event, until
    /// the session has ended and none came for a while), for at most `patience`. Returns why the
    /// session was killed, where a person or a time limit did that. Nothing is handed over afterwards.
    fn finish(&mut self, remaining: Remaining, patience: Duration) -> Option<String>;

    /// All that is known of the session, for its report. Called after [`Holder::finish`].
    ///
    /// # Errors
    /// [`HoldError`].
    fn report(&mut self) -> Result<Report, HoldError>;
}
