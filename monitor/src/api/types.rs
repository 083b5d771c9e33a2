//! What the API says and takes: one struct for each shape, the same on both ends of the socket.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::api::approvals::{GRANT_MOST_SECONDS, GrantRequest, Pending, Reason};
pub use crate::attribute::sessions::{CutInfo, SessionState};
pub use crate::decide::grants::{Grant, GrantState, Object};
pub use crate::ledger::decision::Decision;
pub use crate::ledger::incidents::{Answer, CredentialRead, Incident, Reached};
pub use crate::ledger::rotation::{Read, Rotated, Rotation};
pub use crate::ledger::tally::{Line, Tally, Use};
use crate::record::event::{EventRecord, Origin, Owner};
use crate::record::health::StoreHealth;
use crate::scope::words::{Mode, Tier};

/// How a kind of act is held on this host, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierGuarantee {
    /// What it is about, as `files`, `network`, `exec`.
    pub acts: String,
    /// The mechanisms in force, the one that decides first.
    pub tiers: Vec<Tier>,
    /// One sentence: what that guarantees, and what it does not.
    pub guarantee: String,
}

/// `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// When it started.
    pub since: Timestamp,
    /// What holds each kind of act.
    pub tiers: Vec<TierGuarantee>,
    /// How many sessions run or are frozen.
    pub sessions: u64,
    /// Events a second, over the last ten seconds.
    pub events_per_second: f64,
    /// Events that the kernel could not hand over, for each hook, since the start.
    pub losses: BTreeMap<String, u64>,
    /// How the store is doing.
    pub store: StoreHealth,
    /// What is not as it should be, one sentence each; empty where all is well.
    pub degraded: Vec<String>,
    /// The generation of the scopes in force.
    pub generation: u32,
    /// The scope files.
    pub scopes: Vec<ScopeInfo>,
}

/// Whether a scope file is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeState {
    /// As the file says.
    InForce,
    /// The file has errors; what was loaded before stays in force.
    OldInForce,
    /// The file has errors, and nothing was loaded before.
    NotLoaded,
    /// Past its `expires`.
    Expired,
}

/// `GET /v1/scopes`: one scope file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeInfo {
    /// The scope's name.
    pub name: String,
    /// The file; `None` for a built-in one.
    pub file: Option<String>,
    /// Observe or enforce.
    pub mode: Mode,
    /// Whether it is in force.
    pub state: ScopeState,
    /// What is wrong with the file, with lines, where something is.
    pub error: Option<String>,
}

/// What is wrong with a scope file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeFault {
    /// The file.
    pub file: String,
    /// What is wrong, with lines.
    pub error: String,
}

/// `POST /v1/reload`: what reading the scope files again led to. With `faults` nothing was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The names of scopes that are new, different or gone.
    pub changed: Vec<String>,
    /// What is wrong, file by file; empty where the files are in force as they are.
    pub faults: Vec<ScopeFault>,
}

/// `GET /v1/agents`: one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// The scope's name.
    pub name: String,
    /// What the scope's author says it is.
    pub description: Option<String>,
    /// Observe or enforce.
    pub mode: Mode,
    /// Sessions that run or are frozen.
    pub sessions: u64,
    /// For whom they run.
    pub owners: Vec<Owner>,
    /// The start of the earliest of them.
    pub since: Option<Timestamp>,
    /// Acts of its sessions since the daemon started.
    pub acts: u64,
    /// Of these, cuts.
    pub cuts: u64,
}

/// `GET /v1/sessions`: one session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// `s-` and 16 hexadecimal digits.
    pub id: String,
    /// The agent.
    pub agent: String,
    /// The scope that holds it.
    pub scope: String,
    /// Observe or enforce.
    pub mode: Mode,
    /// The root process.
    pub root_pid: u32,
    /// The human for whom it runs.
    pub owner: Owner,
    /// Where it comes from: login, sudo, ssh, unit, directory, git identity.
    pub origin: Origin,
    /// When it started.
    pub since: Timestamp,
    /// How it stands.
    pub status: SessionState,
    /// Why it is left only what it has used before, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tightened: Option<String>,
    /// The budget that is nearest to its end, of all that the session is held to; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Use>,
    /// Processes alive in it.
    pub processes: u64,
    /// Acts seen.
    pub acts: u64,
    /// Of these, cuts.
    pub cuts: u64,
    /// The latest cut.
    pub last_cut: Option<CutInfo>,
}

/// One process of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeNode {
    /// Process id, as the host sees it.
    pub pid: u32,
    /// The parent's process id.
    pub ppid: u32,
    /// The program.
    pub exe: Option<String>,
    /// The arguments.
    pub argv: Vec<String>,
    /// The effective user id.
    pub uid: u32,
    /// When it started.
    pub started: Option<Timestamp>,
    /// False once it ended.
    pub alive: bool,
    /// Its cuts.
    pub cuts: u64,
    /// The processes that it started.
    pub children: Vec<Self>,
}

/// `GET /v1/sessions/{id}/tree`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// The session.
    pub session: SessionInfo,
    /// The root process first, then those whose parent in the session is gone.
    pub roots: Vec<TreeNode>,
}

/// Which scope an enrolled session is held to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum ScopeChoice {
    /// A scope that the daemon has loaded, or a built-in one, by name.
    Named(String),
    /// The text of a scope file, and the name to use for it in messages.
    Inline {
        /// The whole file.
        text: String,
        /// As the caller names it.
        file: String,
        /// Every local fragment that it builds on, directly or not: the daemon reads no file for a caller.
        #[serde(default)]
        fragments: Vec<FragmentText>,
    },
    /// Whatever scope matches the command.
    Matching,
}

/// A local fragment of an inline scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FragmentText {
    /// Its name as `extends` has it.
    pub name: String,
    /// The file, as messages name it.
    pub file: String,
    /// The whole file.
    pub text: String,
}

impl FragmentText {
    /// The file and text of the fragment called `name`, as `scope::extends::Load` gives them.
    #[must_use]
    pub fn find(all: &[Self], name: &str) -> Option<(String, String)> {
        let found = all.iter().find(|fragment| fragment.name == name)?;
        Some((found.file.clone(), found.text.clone()))
    }
}

/// `POST /v1/sessions`: hold this process, and all that comes from it, to a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// A process of the caller's, held before its first instruction.
    pub pid: u32,
    /// Which scope.
    pub scope: ScopeChoice,
    /// In place of the scope's own mode. A caller enrols a run of their own, so it is theirs to choose for a
    /// scope of their own; for a scope that the operator has loaded, `Control` refuses to lower it.
    #[serde(default)]
    pub mode: Option<Mode>,
}

/// The answer to [`EnrolRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The new session's id.
    pub session: String,
    /// The name of the scope that holds it.
    pub scope: String,
    /// The mode in force.
    pub mode: Mode,
    /// What the running tiers cannot hold of this scope, one sentence each.
    pub warnings: Vec<String>,
}

/// `POST /v1/sessions/{id}/{freeze,thaw,kill}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// Why, in the caller's words; recorded.
    pub reason: String,
}

/// A process of a chain, from the session's root to the one that acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLink {
    /// Process id; 0 where it is not known any more.
    pub pid: u32,
    /// The program.
    pub exe: String,
    /// The arguments, where known.
    pub argv: Vec<String>,
}

/// `GET /v1/events/{id}/why`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The event itself.
    pub event: EventRecord,
    /// One sentence: what was done, and on what ground.
    pub summary: String,
    /// The rule as its author wrote it, with file and line; `None` where a default decided or the scope is gone.
    pub rule_text: Option<String>,
    /// The processes, the session's root first.
    pub chain: Vec<ChainLink>,
    /// The person for whom the session runs.
    pub owner: Owner,
    /// Where the session comes from; `None` where the daemon does not know the session any more.
    pub origin: Option<Origin>,
    /// What the scope would have to say for this act to be allowed; `None` where it was.
    pub instead: Option<String>,
    /// The command that would approve it for a while; `None` where there is none.
    pub grant_command: Option<String>,
}

/// `POST /v1/rotations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// The id of the entry, or the file.
    pub credential: String,
    /// How it was replaced, in the caller's words; recorded.
    pub note: String,
}

/// By what `GET /v1/cuts` adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum CutsBy {
    /// Each session.
    #[default]
    Session,
    /// Each agent.
    Agent,
    /// Each owner.
    Owner,
    /// The host.
    Host,
    /// Each rule.
    Rule,
}

impl CutsBy {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Agent => "agent",
            Self::Owner => "owner",
            Self::Host => "host",
            Self::Rule => "rule",
        }
    }
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What is wrong, one sentence.
    pub error: String,
    /// What to do about it.
    pub remedy: String,
}

/// A line of the stream of `GET /v1/events?follow=true`, in place of an event: the reader was too slow, and
/// this many are in neither the stream nor the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissedLine {
    /// Always [`MISSED_SCHEMA`].
    pub schema: String,
    /// How many.
    pub missed: u64,
}

/// The version tag of [`MissedLine`].
pub const MISSED_SCHEMA: &str = "scopeward.missed/1";
