//! The rotation list: credentials that were read outside sanctioned use, until somebody says that they were replaced.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ledger::incidents::CredentialRead, record::event::SessionRef};

/// Most reads that one entry names.
const READS: usize = 32;
/// Most entries that are remembered; the oldest that were replaced go first.
const REMEMBERED: usize = 2_000;

/// Who said that a credential was replaced, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// Their name, or `uid 1000`.
    pub by: String,
    /// Their user id.
    pub uid: u32,
    /// When.
    pub time: Timestamp,
    /// What they said about it.
    pub note: String,
}

/// One read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The session.
    pub session: String,
    /// The agent.
    pub agent: String,
    /// The event.
    pub event: String,
    /// When.
    pub time: Timestamp,
    /// The program.
    pub reader: String,
    /// Its process id.
    pub pid: u32,
}

/// One credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// `r-` and the id of the event of its first read.
    pub id: String,
    /// The file.
    pub path: String,
    /// Its class in the catalogue.
    pub class: String,
    /// Whose agent read it.
    pub owner: String,
    /// Their user id.
    pub uid: u32,
    /// The machine.
    pub host: String,
    /// Who read it, the first time first.
    pub reads: Vec<Read>,
    /// How often it was read.
    pub count: u64,
    /// Endpoints that its readers' sessions reached afterwards, or had reached before and could use.
    pub reached: Vec<String>,
    /// Replaced; open where nobody said so.
    pub rotated: Option<Rotated>,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Rotations(Vec<Rotation>);

impl Rotations {
    /// Takes in a read. What was replaced before has to be replaced again.
    pub fn take(&mut self, session: &SessionRef, host: &str, read: &CredentialRead) {
        let entry = Read {
            session: session.id.clone(),
            agent: session.agent.clone(),
            event: read.event.clone(),
            time: read.time,
            reader: read.reader.clone(),
            pid: read.pid,
        };
        let uid = session.owner.uid;
        let open = self
            .0
            .iter_mut()
            .find(|known| known.rotated.is_none() && known.path == read.path && known.uid == uid);
        if let Some(known) = open {
            if known.reads.iter().any(|read| read.event == entry.event) {
                return;
            }
            known.count += 1;
            if known.reads.len() < READS {
                known.reads.push(entry);
            }
            return;
        }
        self.0.push(Rotation {
            id: format!("r-{}", read.event),
            path: read.path.clone(),
            class: read.class.clone(),
            owner: crate::ledger::cut::owner_name(&session.owner),
            uid,
            host: host.to_owned(),
            reads: vec![entry],
            count: 1,
            reached: Vec::new(),
            rotated: None,
        });
        if self.0.len() > REMEMBERED
            && let Some(old) = self.0.iter().position(|known| known.rotated.is_some())
        {
            self.0.remove(old);
        }
    }

    /// A session reached an endpoint: what it read before could go there. True where that was not known.
    pub fn reached(&mut self, session: &str, endpoint: &str) -> bool {
        let mut fresh = false;
        for open in self.0.iter_mut().filter(|known| known.rotated.is_none()) {
            let read = open.reads.iter().any(|read| read.session == session);
            if read && open.reached.len() < READS && open.reached.iter().all(|known| known != endpoint) {
                open.reached.push(endpoint.to_owned());
                fresh = true;
            }
        }
        fresh
    }

    /// Marks the open entry that is called `name` (its id, or its file) as replaced; `None` where there is none, or
    /// more than one.
    pub fn rotate(&mut self, name: &str, by: Rotated) -> Option<Rotation> {
        let mut open = self
            .0
            .iter_mut()
            .filter(|known| known.rotated.is_none() && (known.id == name || known.path == name));
        let found = open.next()?;
        if open.next().is_some() {
            return None;
        }
        found.rotated = Some(by);
        Some(found.clone())
    }

    /// Puts back what was kept.
    pub fn restore(&mut self, kept: Vec<Rotation>) {
        self.0 = kept;
    }

    /// Every entry, the oldest first.
    #[must_use]
    pub fn all(&self) -> &[Rotation] {
        &self.0
    }
}
