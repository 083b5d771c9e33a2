//! What the API needs from the pipeline: one trait, implemented there, and by a fake in tests.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::sync::broadcast;

use crate::api::peer::Peer;
use crate::api::report::Report;
use crate::api::types::{
    AgentInfo, CutsBy, EnrolRequest, Enrolled, Grant, GrantRequest, Incident, Pending, Reason, Reloaded,
    Rotation, ScopeInfo, SessionInfo, Status, Tally, Tree, Why,
};
use crate::export::exporters::TestError;
use crate::export::status::{ExporterStatus, TestDelivery};
use crate::record::event::EventRecord;
use crate::record::filter::Filter;
use crate::record::query::QueryError;
use crate::record::store::Store;

/// Why the pipeline did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such session, event or scope.
    #[error("find {what} {id:?}")]
    NotFound {
        /// `session`, `event`, `scope`.
        what: &'static str,
        /// As it was asked for.
        id: String,
    },
    /// The request cannot be done as it stands (a scope with errors, a process that is gone, a session that has ended).
    #[error("{why}")]
    Invalid {
        /// What is wrong; may have several lines (scope-file errors).
        why: String,
        /// What to do about it.
        remedy: String,
    },
    /// The caller may not.
    #[error("{why}")]
    Refused {
        /// One sentence.
        why: String,
        /// What to do about it.
        remedy: String,
    },
    /// This kernel cannot.
    #[error("{why}")]
    Unsupported {
        /// One sentence.
        why: String,
        /// What would still work.
        remedy: String,
    },
    /// The daemon could not, and it is not the caller's doing.
    #[error("{0}")]
    Internal(String),
}

impl From<QueryError> for ControlError {
    fn from(error: QueryError) -> Self {
        Self::Internal(format!("failed to {error}"))
    }
}

impl From<TestError> for ControlError {
    fn from(error: TestError) -> Self {
        match error {
            TestError::Unknown(id) => Self::NotFound { what: "exporter", id },
            TestError::Failed(why) => Self::Invalid {
                why: format!("the test event was not taken: {why}"),
                remedy: "look at the destination and at [[export]] in daemon.toml; events wait in the store meanwhile".to_owned(),
            },
        }
    }
}

/// [`Control::event`], from a store: the one event whose id is `id`, or begins with it.
///
/// # Errors
/// As [`Control::event`].
pub fn stored_event(store: &Store, id: &str) -> Result<EventRecord, ControlError> {
    let filter = Filter {
        id: Some(id.to_owned()),
        limit: Some(2),
        ..Filter::default()
    };
    let mut found = if id.is_empty() {
        Vec::new()
    } else {
        store.query(&filter)?
    };
    match (found.pop(), found.pop()) {
        (Some(event), None) => Ok(event),
        (None, _) => Err(ControlError::NotFound {
            what: "event",
            id: id.to_owned(),
        }),
        (Some(_), Some(_)) => Err(ControlError::Invalid {
            why: format!("more than one event begins with {id:?}"),
            remedy: "give more of the id; scopeward events shows all of it".to_owned(),
        }),
    }
}

/// The pipeline, as the API sees it. Every function is called from a thread that may block, except
/// [`Control::session_of`], [`Control::subscribe`], [`Control::status`], [`Control::session`] and the two
/// listings, which must answer from memory (a lock held for microseconds is fine).
pub trait Control: Send + Sync + 'static {
    /// How the daemon is doing.
    fn status(&self) -> Status;

    /// The sessions: those that run or are frozen, and those that ended lately. Newest last.
    fn sessions(&self) -> Vec<SessionInfo>;

    /// One session by its id.
    ///
    /// # Errors
    /// [`ControlError::NotFound`].
    fn session(&self, id: &str) -> Result<SessionInfo, ControlError> {
        let not_found = || ControlError::NotFound {
            what: "session",
            id: id.to_owned(),
        };
        self.sessions()
            .into_iter()
            .find(|session| session.id == id)
            .ok_or_else(not_found)
    }

    /// The agents: every scope that is loaded, or that a session is held to.
    fn agents(&self) -> Vec<AgentInfo>;

    /// The scope files.
    fn scopes(&self) -> Vec<ScopeInfo>;

    /// Reads the scope files again: all that has changed comes in force, or nothing.
    fn reload(&self) -> Reloaded;

    /// The metrics, in the text format of Prometheus.
    fn metrics(&self) -> String;

    /// The processes of a session.
    ///
    /// # Errors
    /// [`ControlError::NotFound`].
    fn tree(&self, session: &str) -> Result<Tree, ControlError>;

    /// The session that process `pid` (host's pid) is in, if it is in one.
    fn session_of(&self, pid: u32) -> Option<String>;

    /// Holds a process to a scope. The API has checked that the process is the caller's, and that the caller is in
    /// no session; whether the process is in one is checked here. The owner is the caller.
    ///
    /// # Errors
    /// [`ControlError`]; the process is then in no session.
    fn enrol(&self, request: &EnrolRequest, peer: &Peer) -> Result<Enrolled, ControlError>;

    /// Stops every process of a session. Freezing what is frozen is no error.
    ///
    /// # Errors
    /// [`ControlError`].
    fn freeze(&self, session: &str, reason: &str, peer: &Peer) -> Result<SessionInfo, ControlError>;

    /// Lets a frozen session go on. Thawing what runs is no error.
    ///
    /// # Errors
    /// [`ControlError`].
    fn thaw(&self, session: &str, reason: &str, peer: &Peer) -> Result<SessionInfo, ControlError>;

    /// Kills every process of a session.
    ///
    /// # Errors
    /// [`ControlError`].
    fn kill(&self, session: &str, reason: &str, peer: &Peer) -> Result<SessionInfo, ControlError>;

    /// Approves something for a session, for a while. The API has checked who asks.
    ///
    /// # Errors
    /// [`ControlError`]; nothing is approved then.
    fn grant(&self, request: &GrantRequest, peer: &Peer) -> Result<Grant, ControlError>;

    /// Every grant that holds, and those that are over and still remembered. Newest last.
    fn grants(&self) -> Vec<Grant>;

    /// Takes a grant back: the next act is answered as the scope says.
    ///
    /// # Errors
    /// [`ControlError`].
    fn revoke(&self, grant: &str, reason: &str, peer: &Peer) -> Result<Grant, ControlError>;

    /// The sessions that are frozen, the one that waits longest first.
    fn pending(&self) -> Vec<Pending>;

    /// Hands the stored events that `filter` asks for to `visit`, in the filter's order, until it breaks.
    ///
    /// # Errors
    /// [`ControlError::Internal`] where the store cannot be read.
    fn events(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(EventRecord) -> ControlFlow<()>,
    ) -> Result<(), ControlError>;

    /// One event by its id, or by the beginning of its id where only one begins so.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], or [`ControlError::Invalid`] where the beginning is not unique.
    fn event(&self, id: &str) -> Result<EventRecord, ControlError>;

    /// The latest cut of a session that was answered; for the agent itself.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] where there is none.
    fn last_reason(&self, session: &str) -> Result<Reason, ControlError>;

    /// How the cuts add up; only those of the user `only`, where that is given: their sessions, their own account, and
    /// by rule what their sessions did.
    fn cuts(&self, by: CutsBy, only: Option<u32>) -> Vec<Tally>;

    /// All that is known of a session, as a report needs it.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], or [`ControlError::Internal`] where the store cannot be read.
    fn report(&self, session: &str) -> Result<Report, ControlError>;

    /// The incidents, the oldest first.
    fn incidents(&self) -> Vec<Incident>;

    /// The credentials that were read outside sanctioned use, the oldest first.
    fn rotations(&self) -> Vec<Rotation>;

    /// Marks the open entry of a credential, by its id or its file, as replaced. The API has checked that `peer` may.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] where nothing of that name is open; [`ControlError::Invalid`] where it is not unique.
    fn rotate(&self, name: &str, note: &str, peer: &Peer) -> Result<Rotation, ControlError>;

    /// What decided, and what would have allowed it. `event` is what [`Control::event`] gave.
    ///
    /// # Errors
    /// [`ControlError`].
    fn why(&self, event: EventRecord) -> Result<Why, ControlError>;

    /// The exporters.
    fn exporters(&self) -> Vec<ExporterStatus>;

    /// Sends a marked test event to the destination of exporter `name`, and waits until it is taken.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], or [`ControlError::Invalid`] with what the destination said.
    fn test_export(&self, name: &str) -> Result<TestDelivery, ControlError>;

    /// Every event from now on, as it is recorded.
    fn subscribe(&self) -> broadcast::Receiver<Arc<EventRecord>>;
}
