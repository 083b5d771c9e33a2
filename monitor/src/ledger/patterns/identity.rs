//! Borrowed identity: a person's credential is read, and then the process that read it, or one beside it, connects
//! somewhere. Whoever is there takes what follows for that person's.

use crate::{
    ledger::{
        cut::{object, owner_name},
        incidents::CredentialRead,
        patterns::watch::Finding,
    },
    record::event::EventRecord,
};

/// Within how long a connection is tied to a read, in nanoseconds.
const WITHIN: i64 = 10 * 60 * 1_000_000_000;
/// What the cut counts.
const WEIGHT: u32 = 10;
/// Most reads that are remembered within that time, the newest.
const REMEMBERED: usize = 64;

/// One read of a credential.
#[derive(Debug)]
struct Read {
    time: i64,
    parent: u32,
    what: CredentialRead,
}

/// What was seen of one session.
#[derive(Debug, Default)]
pub struct Identity {
    reads: Vec<Read>,
    lent: Option<CredentialRead>,
    told: Vec<(String, String)>,
}

impl Identity {
    /// A credential was read outside sanctioned use, by a process whose parent is `parent`.
    pub fn read(&mut self, now: i64, what: CredentialRead, parent: u32) {
        if self.reads.len() == REMEMBERED {
            self.reads.remove(0);
        }
        self.reads.push(Read {
            time: now,
            parent,
            what,
        });
    }

    /// The kernel holds the session to what it reaches from now on for a read of this credential.
    pub fn lend(&mut self, what: CredentialRead) {
        self.lent = Some(what);
    }

    /// The latest of those.
    #[must_use]
    pub const fn lent(&self) -> Option<&CredentialRead> {
        self.lent.as_ref()
    }

    /// An endpoint was reached.
    pub fn reached(&mut self, now: i64, event: &EventRecord) -> Option<Finding> {
        self.reads.retain(|read| now.saturating_sub(read.time) < WITHIN);
        let (pid, parent) = (event.process.pid, event.process.ppid);
        // The reader itself, the shell that took what it read, and what that shell starts next.
        let tied = |read: &&Read| {
            read.what.pid == pid || read.parent == pid || (read.parent == parent && parent > 1)
        };
        let read = self.reads.iter().rev().find(tied)?;
        let endpoint = object(&event.act);
        let pair = (read.what.path.clone(), endpoint.clone());
        if self.told.contains(&pair) || self.told.len() >= REMEMBERED {
            return None;
        }
        self.told.push(pair);
        Some(Finding {
            rule: "pattern.identity",
            weight: WEIGHT,
            reason: format!(
                "acted as {} at {endpoint}, with {} that {} [{}] read",
                owner_name(&event.session.owner),
                read.what.path,
                read.what.reader,
                read.what.pid
            ),
            reads: vec![read.what.clone()],
        })
    }
}
