//! Borrowed identity, as the kernel answered it: which credential, whose, and where.

use crate::{
    ledger::{
        cut::{object, owner_name},
        incidents::CredentialRead,
    },
    record::event::{ActRecord, EventRecord, Owner},
    scope::words::Response,
    service::state::State,
};

impl State {
    /// A person's credential was read, for which the kernel holds the session from now on.
    pub fn lend(&mut self, event: &EventRecord) {
        let class = self.cases.class_of(event);
        self.cases
            .patterns
            .lend(&event.session.id, CredentialRead::of(event, class));
    }

    /// The credential that a session is held for, as the act that follows says it: empty where it is not known any more.
    #[must_use]
    pub fn lent_path(&self, key: u64) -> String {
        self.lent(key).map_or_else(String::new, |read| read.path.clone())
    }

    fn lent(&self, key: u64) -> Option<&CredentialRead> {
        let session = self.sessions.get(key)?;
        self.cases.patterns.lent(&session.facts.id)
    }

    /// What was done as whom, or would have been.
    pub(super) fn acted_as(&self, key: u64, act: &ActRecord, applied: Response) -> String {
        let owner = self.sessions.get(key).map_or_else(
            || owner_name(&Owner::default()),
            |session| owner_name(&session.facts.owner),
        );
        let acted = if applied >= Response::Deny {
            "would have acted"
        } else {
            "acted"
        };
        let with = self.lent(key).map_or_else(
            || "with a credential that was read before".to_owned(),
            |read| format!("with {} that {} [{}] read", read.path, read.reader, read.pid),
        );
        format!("{acted} as {owner} at {}, {with}", object(act))
    }

    /// The credential of a cut that the kernel answered as borrowed identity has to be replaced.
    pub(super) fn note_lent(&mut self, key: u64, event: &EventRecord) {
        if let Some(read) = self.lent(key).cloned() {
            self.note_read(event, &read);
        }
    }
}
