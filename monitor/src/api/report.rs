//! All that is known of one session, for a report.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::types::{Decision, Incident, Rotation, SessionInfo, Tally, TreeNode};
use crate::record::event::{EventRecord, Owner};

/// The version tag of [`Report`].
pub const REPORT_SCHEMA: &str = "scopeward.report/1";
/// Most events that a report holds: cuts, answers, connections.
pub const EVENTS: usize = 1_000;

/// `GET /v1/sessions/{id}/report`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`REPORT_SCHEMA`].
    pub schema: String,
    /// When it was made.
    pub made: Timestamp,
    /// The version of the daemon that made it.
    pub version: String,
    /// The machine.
    pub host: String,
    /// The session's id.
    pub id: String,
    /// The agent.
    pub agent: String,
    /// For whom it ran.
    pub owner: Owner,
    /// How it stands; `None` where the daemon does not remember it.
    pub session: Option<SessionInfo>,
    /// Its processes, as far as they are remembered.
    pub roots: Vec<TreeNode>,
    /// Its incidents, the oldest first.
    pub incidents: Vec<Incident>,
    /// How its cuts add up.
    pub tally: Option<Tally>,
    /// Its cuts, what was answered to used-up budgets, and what it reached, the oldest first.
    pub events: Vec<EventRecord>,
    /// Events beyond those.
    pub left_out: u64,
    /// Credentials that it read outside sanctioned use.
    pub rotations: Vec<Rotation>,
    /// What people decided about it.
    pub decisions: Vec<Decision>,
}
