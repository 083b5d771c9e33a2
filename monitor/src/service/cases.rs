//! Incidents and credentials to replace: fed by every record, kept on disk by housekeeping.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    api::control::ControlError,
    attribute::owner,
    ledger::{
        cut::object,
        decision::Decision,
        incidents::{CredentialRead, Incident, Incidents, REMEMBERED},
        patterns::watch::{Finding, Known, Patterns},
        rotation::{Rotated, Rotation, Rotations},
    },
    pipeline::Monitor,
    record::{
        cases::{Cases, Changes},
        event::EventRecord,
    },
    scope::{
        pattern::PathPattern,
        secret::is_secret_like,
        sets::credentials::{class_named, classes},
        words::{Kind, Response},
    },
    service::state::State,
};

/// The class of secrets that no catalogue knows.
const BY_NAME: &str = "secret by its name";
/// Most decisions that are remembered.
const DECISIONS: usize = 1_000;
/// Most records that are kept where there is no store.
const RECENT: usize = 1_000;

/// What is known of incidents and of credentials to replace.
#[derive(Debug, Default)]
pub struct CaseBook {
    /// Incidents.
    pub incidents: Incidents,
    /// Credentials.
    pub rotations: Rotations,
    /// The patterns of the catalogue for each owner, with their classes.
    secrets: HashMap<u32, Arc<[Secret]>>,
    /// Patterns of small acts.
    pub patterns: Patterns,
    /// The homes of owners, as text.
    homes: HashMap<u32, Arc<str>>,
    /// What people decided, the oldest first.
    pub decisions: VecDeque<Decision>,
    /// How many of them are not written yet: the last ones.
    unwritten: usize,
    /// Cuts and connections of late, where there is no store that keeps them.
    pub recent: Option<VecDeque<EventRecord>>,
    /// Sessions and entries that changed since the last save.
    dirty: BTreeSet<String>,
    changed: bool,
}

impl CaseBook {
    /// Nothing yet. It keeps records of late by itself where no store does (`keeps`).
    #[must_use]
    pub fn new(keeps: bool) -> Self {
        Self {
            recent: keeps.then(VecDeque::new),
            ..Self::default()
        }
    }

    /// The class of the catalogue that a guarded file is of for an owner, where a read of it means that it has to be
    /// replaced; for files that the catalogue does not know, what their names say.
    fn class(&mut self, uid: u32, event: &EventRecord) -> Option<&'static str> {
        let secrets = self.secrets.entry(uid).or_insert_with(|| secrets_of(uid));
        let names = [event.act.path.as_deref(), event.act.guarded_as.as_deref()];
        names.into_iter().flatten().find_map(|name| {
            let known = secrets.iter().find(|secret| secret.pattern.matches(name));
            match known {
                Some(secret) => secret.rotate.then_some(secret.class),
                None => is_secret_like(name).then_some(BY_NAME),
            }
        })
    }

    /// Whether the program that reads is one that the catalogue says may, whatever the scope says of it: npm its settings,
    /// git its log-ins.
    fn is_catalogues_reader(&mut self, uid: u32, event: &EventRecord) -> bool {
        let (Some(path), Some(exe)) = (&event.act.path, &event.process.exe) else {
            return false;
        };
        let secrets = self.secrets.entry(uid).or_insert_with(|| secrets_of(uid));
        let known = secrets.iter().find(|secret| secret.pattern.matches(path));
        known.is_some_and(|secret| secret.readers.iter().any(|program| program.matches(exe)))
    }

    /// The class of a file that is known to be a credential.
    pub fn class_of(&mut self, event: &EventRecord) -> &'static str {
        self.class(event.session.owner.uid, event).unwrap_or(BY_NAME)
    }

    /// The patterns that an event completes.
    pub fn patterns_of(&mut self, event: &EventRecord) -> Vec<Finding> {
        let uid = event.session.owner.uid;
        let secret = match (event.act.kind, &event.act.path) {
            (Kind::FileOpen, Some(_)) if !self.is_catalogues_reader(uid, event) => self.class(uid, event),
            _ => None,
        };
        let lends = secret.is_some_and(|class| class_named(class).is_none_or(|class| class.guard));
        let home = self
            .homes
            .entry(uid)
            .or_insert_with(|| owner::home(uid).to_string_lossy().into());
        self.patterns.take(event, Known { home, secret, lends })
    }

    /// What has to be written since this was last asked.
    pub fn changes(&mut self) -> Changes {
        if !std::mem::take(&mut self.changed) {
            return Changes::default();
        }
        let dirty = std::mem::take(&mut self.dirty);
        let written = self
            .decisions
            .len()
            .saturating_sub(std::mem::take(&mut self.unwritten));
        let is_dirty = |session: &str| dirty.contains(session);
        Changes {
            incidents: self
                .incidents
                .all()
                .into_iter()
                .filter(|incident| is_dirty(&incident.session))
                .cloned()
                .collect(),
            rotations: self
                .rotations
                .all()
                .iter()
                .filter(|entry| is_dirty(&entry.id) || entry.reads.iter().any(|read| is_dirty(&read.session)))
                .cloned()
                .collect(),
            decisions: self.decisions.iter().skip(written).cloned().collect(),
        }
    }

    /// Notes what a person decided.
    pub fn decide(&mut self, decision: Decision) {
        self.decisions.push_back(decision);
        self.unwritten += 1;
        self.changed = true;
        while self.decisions.len() > DECISIONS {
            self.decisions.pop_front();
        }
    }

    /// Notes that something about a session, or the entry of that id, changed.
    pub(super) fn touch(&mut self, name: &str) {
        self.changed = true;
        if !self.dirty.contains(name) {
            self.dirty.insert(name.to_owned());
        }
    }
}

/// One pattern of the catalogue.
#[derive(Debug)]
struct Secret {
    class: &'static str,
    rotate: bool,
    pattern: PathPattern,
    /// Programs that may, whatever is above them.
    readers: Arc<[PathPattern]>,
}

/// The catalogue for an owner, the most specific pattern first.
fn secrets_of(uid: u32) -> Arc<[Secret]> {
    let home = owner::home(uid);
    let mut secrets: Vec<Secret> = classes()
        .iter()
        .flat_map(|class| {
            let readers = class.readers.iter().filter(|reader| reader.ancestor.is_empty());
            let programs = readers.flat_map(|reader| &reader.exe);
            let readers: Arc<[PathPattern]> = programs.map(|program| program.resolve(&home)).collect();
            class.paths.iter().map({
                let home = &home;
                move |path| Secret {
                    class: class.id,
                    rotate: class.rotate && class.read,
                    pattern: path.resolve(home),
                    readers: Arc::clone(&readers),
                }
            })
        })
        .collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.pattern.rank()));
    secrets.into()
}

impl State {
    /// Takes a record into the incidents and the rotation list.
    pub fn note_case(&mut self, event: &EventRecord) {
        let session = event.session.id.as_str();
        let is_cut = event.verdict.called_for > Response::Allow;
        let reaches = event.verdict.applied <= Response::Flag
            && matches!(event.act.kind, Kind::NetConnect | Kind::NetSend);
        if !is_cut && !reaches {
            return;
        }
        if let Some(recent) = &mut self.cases.recent {
            recent.push_back(event.clone());
            if recent.len() > RECENT {
                recent.pop_front();
            }
        }
        let class = if is_cut && event.act.path.is_some() {
            self.cases.class(event.session.owner.uid, event)
        } else {
            None
        };
        let was_open = self.cases.incidents.is_open(session);
        let read = self.cases.incidents.take(event, class);
        if !was_open && self.cases.incidents.is_open(session) {
            self.expose(session);
        }
        if let Some(read) = &read {
            self.note_read(event, read);
        }
        let reached = reaches && self.cases.rotations.reached(session, &object(&event.act));
        if is_cut || reached || self.cases.incidents.is_open(session) {
            self.cases.touch(session);
        }
    }

    /// A credential was read outside sanctioned use: it is to be rotated, and could have gone wherever its session goes.
    pub fn note_read(&mut self, event: &EventRecord, read: &CredentialRead) {
        let session = event.session.id.as_str();
        self.cases.incidents.read(session, read);
        self.cases.rotations.take(&event.session, &event.host.name, read);
        let before: Vec<String> = self
            .cases
            .incidents
            .reached(session)
            .map(|reached| reached.endpoint.clone())
            .collect();
        for endpoint in before {
            self.cases.rotations.reached(session, &endpoint);
        }
        self.cases.touch(session);
    }

    /// A session was frozen or killed.
    pub fn note_contained(&mut self, key: u64, response: Response, reason: &str) {
        if let Some(session) = self.sessions.get(key) {
            let id = session.facts.id.clone();
            self.cases
                .incidents
                .contained(&id, response, Timestamp::now(), reason);
            self.cases.touch(&id);
        }
    }

    /// A session ended, or (`thawed`) a person let it go on.
    pub fn note_over(&mut self, key: u64, thawed: bool) {
        if let Some(session) = self.sessions.get(key) {
            let id = session.facts.id.clone();
            if thawed {
                self.cases.incidents.thawed(&id, Timestamp::now());
            } else {
                self.cases.incidents.ended(&id, Timestamp::now());
                self.cases.patterns.ended(&id);
            }
            self.cases.touch(&id);
        }
    }

    /// Marks a credential as replaced.
    pub fn rotate(&mut self, name: &str, by: Rotated) -> Option<Rotation> {
        let entry = self.cases.rotations.rotate(name, by)?;
        self.cases.touch(&entry.id);
        Some(entry)
    }

    /// The incidents, the oldest first.
    #[must_use]
    pub fn incidents(&mut self) -> Vec<Incident> {
        let live: Vec<u64> = self.sessions.live().map(|(key, _)| key).collect();
        for key in live {
            self.note_sent(key);
        }
        self.cases.incidents.all().into_iter().cloned().collect()
    }
}

impl Monitor {
    /// Reads what earlier daemons kept of incidents and credentials.
    pub fn recall_cases(&self) {
        let Some(directory) = self.settings.cases.as_deref() else {
            return;
        };
        let read = || -> Result<_, crate::record::cases::CasesError> {
            let cases = Cases::open(directory)?;
            Ok((
                cases.incidents(REMEMBERED)?,
                cases.rotations()?,
                cases.decisions(DECISIONS)?,
            ))
        };
        let mut state = self.lock();
        match read() {
            Ok((incidents, rotations, decisions)) => {
                let live: BTreeSet<String> = state
                    .sessions
                    .live()
                    .map(|(_, session)| session.facts.id.clone())
                    .collect();
                state
                    .cases
                    .incidents
                    .restore(incidents, &|session| live.contains(session));
                state.cases.rotations.restore(rotations);
                state.cases.decisions = decisions.into();
            }
            Err(error) => state.set_degraded(
                "cases",
                Some(format!("earlier incidents are not known: failed to {error}")),
            ),
        }
    }

    /// Marks the open entry of a credential, by its id or file, as replaced by the user `uid`.
    ///
    /// # Errors
    /// [`ControlError`] where there is no such entry, or more than one.
    pub fn mark_rotated(&self, name: &str, note: &str, uid: u32) -> Result<Rotation, ControlError> {
        let mut state = self.lock();
        let open: Vec<String> = state
            .cases
            .rotations
            .all()
            .iter()
            .filter(|entry| entry.rotated.is_none() && (entry.id == name || entry.path == name))
            .map(|entry| entry.id.clone())
            .collect();
        if open.len() > 1 {
            return Err(ControlError::Invalid {
                why: format!("{} owners' agents read {name:?}", open.len()),
                remedy: format!("name one of {}", open.join(", ")),
            });
        }
        let by = Rotated {
            by: owner::name(uid).unwrap_or_else(|| format!("uid {uid}")),
            uid,
            time: Timestamp::now(),
            note: note.to_owned(),
        };
        state.rotate(name, by).ok_or_else(|| ControlError::NotFound {
            what: "credential that waits to be rotated",
            id: name.to_owned(),
        })
    }

    /// Writes what changed of incidents and credentials.
    pub fn save_cases(&self) {
        let Some(directory) = self.settings.cases.as_deref() else {
            return;
        };
        let changes = self.lock().cases.changes();
        if changes.is_empty() {
            return;
        }
        let saved = Cases::open(directory).and_then(|mut cases| cases.save(&changes));
        let mut state = self.lock();
        let said = saved.err().map(|error| {
            for incident in &changes.incidents {
                state.cases.touch(&incident.session);
            }
            for entry in &changes.rotations {
                state.cases.touch(&entry.id);
            }
            state.cases.unwritten += changes.decisions.len();
            format!("incidents are kept in memory only: failed to {error}")
        });
        state.set_degraded("cases", said);
    }
}
