//! Sessions, as user space knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    record::event::{EventRecord, Origin, Owner, SessionRef},
    scope::words::{Mode, Response},
};

/// How many sessions that ended are remembered.
const ENDED_MAX: usize = 200;

/// How a session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "reason", rename_all = "lowercase")]
pub enum SessionState {
    /// It runs.
    Running,
    /// Stopped until a person decides; why.
    Frozen(String),
    /// Its last process ended.
    Ended,
    /// It was killed; why.
    Killed(String),
}

/// The latest cut of a session, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutInfo {
    /// The event's id, for `why`.
    pub event: String,
    /// When.
    pub time: Timestamp,
    /// What was really done about it.
    pub applied: Response,
    /// The act in one line, as `file.open /home/dev/.netrc`.
    pub act: String,
}

/// One session.
#[derive(Clone, Debug)]
pub struct Session {
    /// What every event says of it.
    pub facts: Arc<SessionRef>,
    /// Where it comes from, as last looked at.
    pub origin: Origin,
    /// Whether that was told.
    pub origin_told: bool,
    /// The policy that holds it.
    pub policy: u32,
    /// Observe or enforce.
    pub mode: Mode,
    /// When it started.
    pub since: Timestamp,
    /// How it stands.
    pub state: SessionState,
    /// Why it is left only what it has used before, while it is.
    pub tightened: Option<String>,
    /// When it was frozen, boot clock, ns.
    pub frozen_at: Option<u64>,
    /// The event that froze it, where one did.
    pub frozen_by: Option<EventRecord>,
    /// Where what it had open when it was frozen is kept.
    pub evidence: Option<std::path::PathBuf>,
    /// Acts and cuts that the kernel counted, as last read.
    pub acts: u64,
    /// Cuts that the kernel counted, as last read.
    pub cuts: u64,
    /// Cuts that were answered in user space (fanotify, arguments), which the kernel has not counted.
    pub own_cuts: u64,
    /// The latest cut.
    pub last_cut: Option<CutInfo>,
    /// Repeats of cuts that the kernel counted and did not emit, as last told.
    pub suppressed: u64,
    /// The record of the latest cut that the kernel emitted: what stands for its repeats.
    pub last_record: Option<EventRecord>,
    /// The event of the latest cut, for the agent itself.
    pub last_told: Option<EventRecord>,
    /// Its own cgroup.
    pub cgroup: Option<std::path::PathBuf>,
}

/// Sessions by key, the oldest first.
#[derive(Debug, Default)]
pub struct Sessions(BTreeMap<u64, Session>);

impl Sessions {
    /// The name of a session: its key mixed with the boot, so that it is unique on this host.
    #[must_use]
    pub fn name(boot_id: &str, key: u64) -> String {
        let boot = scopeward_abi::hash::forward(boot_id.as_bytes());
        format!("s-{:016x}", scopeward_abi::hash::step(boot, key))
    }

    /// Adds a session.
    pub fn insert(&mut self, key: u64, session: Session) {
        self.0.insert(key, session);
        let over = self.0.len().saturating_sub(ENDED_MAX);
        let gone: Vec<u64> = self
            .0
            .iter()
            .filter(|(_, known)| !known.is_live())
            .map(|(key, _)| *key)
            .take(over)
            .collect();
        for key in gone {
            self.0.remove(&key);
        }
    }

    /// A session by its key.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&Session> {
        self.0.get(&key)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut Session> {
        self.0.get_mut(&key)
    }

    /// The key of a session by its name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<u64> {
        self.0
            .iter()
            .find(|(_, session)| session.facts.id == name)
            .map(|(key, _)| *key)
    }

    /// Every session, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Session)> {
        self.0.iter().map(|(key, session)| (*key, session))
    }

    /// Sessions that have not ended.
    pub fn live(&self) -> impl Iterator<Item = (u64, &Session)> {
        self.iter().filter(|(_, session)| session.is_live())
    }
}

impl Session {
    /// A session that starts now.
    #[must_use]
    pub fn new(facts: SessionRef, policy: u32, mode: Mode, since: Timestamp) -> Self {
        Self {
            facts: Arc::new(facts),
            origin: Origin::default(),
            origin_told: false,
            policy,
            mode,
            since,
            state: SessionState::Running,
            tightened: None,
            frozen_at: None,
            frozen_by: None,
            evidence: None,
            acts: 0,
            cuts: 0,
            own_cuts: 0,
            last_cut: None,
            suppressed: 0,
            last_record: None,
            last_told: None,
            cgroup: None,
        }
    }

    /// Whether it runs or is frozen.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.state, SessionState::Running | SessionState::Frozen(_))
    }

    /// The human for whom it runs.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.facts.owner
    }
}
