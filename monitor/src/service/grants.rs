//! Grants: given, taken back and ended, in the kernel's table, in the notes for the next daemon, and in the record.

use std::{fs, path::PathBuf, time::Duration};

use crate::{
    api::{
        control::ControlError,
        peer::Peer,
        types::{Grant, GrantRequest, GrantState, Object},
    },
    attribute::sessions::Session,
    record::event::{DecisionRecord, EventRecord, SessionRef},
    scope::words::{Access, Kind},
    service::{
        decisions::{moment, person},
        grant_objects::{describe, invalid},
        state::State,
    },
};

impl State {
    /// Gives a grant; `event` is the one that `request` names. The kernel lets the act through when this returns.
    ///
    /// # Errors
    /// [`ControlError`]; nothing has changed then.
    pub fn give(
        &mut self,
        request: &GrantRequest,
        event: Option<&EventRecord>,
        peer: &Peer,
    ) -> Result<(Grant, Vec<EventRecord>), ControlError> {
        let (session, object) = match event {
            Some(event) => (event.session.id.clone(), self.object_of(event, &request.access)?),
            None => self.named_object(request)?,
        };
        let key = self.sessions.key(&session).ok_or(ControlError::NotFound {
            what: "session",
            id: session.clone(),
        })?;
        let known = self
            .sessions
            .get(key)
            .filter(|known| known.is_live())
            .ok_or_else(|| {
                invalid(
                    format!("session {session} has ended"),
                    "a grant is for a session that runs",
                )
            })?;
        let facts = (*known.facts).clone();
        let (given, boot) = moment();
        let lasts = Duration::from_secs(request.seconds);
        let grant = Grant {
            id: format!("g-{}", self.next_id(given)[16..].to_lowercase()),
            session,
            key,
            agent: facts.agent.clone(),
            by: person(peer),
            reason: request.reason.clone().filter(|reason| !reason.trim().is_empty()),
            event: event.map(|event| event.id.clone()),
            rule: event.and_then(|event| event.verdict.rule.clone()),
            asked: event.map(|event| event.time),
            given,
            until: given + lasts,
            until_boot: boot + u64::try_from(lasts.as_nanos()).unwrap_or(u64::MAX),
            uses: 0,
            own_uses: 0,
            object,
            state: GrantState::Live,
        };
        self.kernel
            .maps
            .set_grant(grant.object.key(key), grant.object.kernel(grant.until_boot))
            .map_err(|error| ControlError::Internal(format!("failed to {error}")))?;
        let replaced = self.grants.give(grant.clone());
        self.note_grant(&grant);
        let mut records = Vec::new();
        if let Some(replaced) = replaced {
            self.forget_grant(&replaced.id);
            records.push(self.grant_record(
                Kind::GrantRevoke,
                &replaced,
                Some("another grant took its place"),
                Some(peer),
            ));
        }
        records.push(self.grant_record(Kind::GrantGive, &grant, grant.reason.as_deref(), Some(peer)));
        Ok((grant, records))
    }

    /// Takes a grant back.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn take_back(
        &mut self,
        id: &str,
        reason: &str,
        peer: &Peer,
    ) -> Result<(Grant, Vec<EventRecord>), ControlError> {
        let state = self
            .grants
            .get(id)
            .map(|grant| grant.state)
            .ok_or(ControlError::NotFound {
                what: "grant",
                id: id.to_owned(),
            })?;
        if state != GrantState::Live {
            return Err(invalid(
                format!("grant {id} does not hold any more ({})", state.word()),
                "`scopeward grants` lists those that hold",
            ));
        }
        let grant = self
            .end_grant(id, GrantState::Revoked)
            .ok_or_else(|| ControlError::Internal("the grant went away meanwhile".to_owned()))?;
        let record = self.grant_record(
            Kind::GrantRevoke,
            &grant,
            Some(reason).filter(|text| !text.is_empty()),
            Some(peer),
        );
        Ok((grant, vec![record]))
    }

    /// Ends what is over: the kernel stopped honouring it by itself, this tells of it.
    pub fn end_due_grants(&mut self) -> Vec<EventRecord> {
        let (_, now) = moment();
        let sessions = &self.sessions;
        let due = self
            .grants
            .due(now, |key| sessions.get(key).is_some_and(Session::is_live));
        let mut records = Vec::new();
        for (id, state) in due {
            if let Some(grant) = self.end_grant(&id, state) {
                let reason = (state == GrantState::Ended).then_some("its session ended");
                records.push(self.grant_record(Kind::GrantExpire, &grant, reason, None));
            }
        }
        records
    }

    /// Whether a grant holds for what user space decides (changes that fanotify tells, arguments): counts the use.
    pub fn use_grant(&mut self, key: &scopeward_abi::grant::GrantKey) -> Option<String> {
        let (_, now) = moment();
        let grant = self.grants.holding(key, now)?;
        let writes =
            !matches!(&grant.object, Object::File { access, .. } if !access.contains(&Access::Write));
        writes.then(|| {
            grant.own_uses += 1;
            grant.id.clone()
        })
    }

    fn end_grant(&mut self, id: &str, state: GrantState) -> Option<Grant> {
        self.read_uses();
        let grant = self.grants.get_mut(id)?;
        grant.state = state;
        let grant = grant.clone();
        self.kernel.maps.remove_grant(grant.object.key(grant.key));
        self.forget_grant(id);
        Some(grant)
    }

    /// Takes over how often each grant was used.
    pub fn read_uses(&mut self) {
        let live: Vec<(String, scopeward_abi::grant::GrantKey)> = self
            .grants
            .iter()
            .filter(|grant| grant.state == GrantState::Live)
            .map(|grant| (grant.id.clone(), grant.object.key(grant.key)))
            .collect();
        for (id, key) in live {
            let counted = self.kernel.maps.grant(key).map_or(0, |grant| grant.uses);
            if let Some(grant) = self.grants.get_mut(&id) {
                grant.uses = counted + grant.own_uses;
            }
        }
    }

    fn grant_record(
        &mut self,
        kind: Kind,
        grant: &Grant,
        reason: Option<&str>,
        by: Option<&Peer>,
    ) -> EventRecord {
        let session = self
            .sessions
            .get(grant.key)
            .map_or_else(SessionRef::default, |known| (*known.facts).clone());
        let decision = DecisionRecord {
            by: by.map(person),
            reason: reason.map(str::to_owned),
            grant: Some(grant.id.clone()),
            event: grant.event.clone(),
            asked: grant.asked,
            until: Some(grant.until),
            uses: (kind != Kind::GrantGive).then_some(grant.uses),
        };
        let mut record = self.decided(kind, session, decision, by);
        record.verdict.rule.clone_from(&grant.rule);
        describe(&mut record.act, &grant.object);
        record
    }

    fn grants_directory(&self) -> Option<PathBuf> {
        Some(self.notes.as_ref()?.join("grants"))
    }

    fn note_grant(&mut self, grant: &Grant) {
        let Some(directory) = self.grants_directory() else {
            return;
        };
        let write = || {
            fs::create_dir_all(&directory)?;
            let fresh = directory.join(format!("{}.new", grant.id));
            fs::write(&fresh, serde_json::to_vec(grant)?)?;
            fs::rename(fresh, directory.join(format!("{}.json", grant.id)))
        };
        if write().is_err() {
            self.trouble("grant could not be noted for the next daemon");
        }
    }

    fn forget_grant(&self, id: &str) {
        if let Some(directory) = self.grants_directory() {
            // It may never have been noted.
            drop(fs::remove_file(directory.join(format!("{id}.json"))));
        }
    }

    /// Takes over the grants that an earlier daemon noted. Those that ended meanwhile ended in the kernel at their time;
    /// they are told of with the next look.
    pub fn adopt_grants(&mut self) {
        let Some(directory) = self.grants_directory() else {
            return;
        };
        let notes: Vec<Grant> = fs::read_dir(directory)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| serde_json::from_slice(&fs::read(entry.path()).ok()?).ok())
            .collect();
        for grant in notes {
            let key = grant.object.key(grant.key);
            let lacking = self.kernel.maps.grant(key).is_none();
            if lacking
                && self
                    .kernel
                    .maps
                    .set_grant(key, grant.object.kernel(grant.until_boot))
                    .is_err()
            {
                self.trouble("noted grant could not be put in force again");
            }
            self.grants.give(grant);
        }
    }
}
