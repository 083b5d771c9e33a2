//! What people decided about sessions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub time: Timestamp,
    /// The session.
    pub session: String,
    /// What was decided, as `thaw`.
    pub what: String,
    /// Who: a name, or `uid 1000`.
    pub by: String,
    /// Their user id.
    pub uid: u32,
    /// Why, in their words.
    pub reason: String,
}
