//! Incidents: the cuts of a session from its first one to its containment, or to its end; and what was exposed in
//! between.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ledger::{
        cut::{is_answer, object, owner_name},
        patterns::watch::is_pattern,
    },
    record::event::EventRecord,
    scope::words::{Access, Kind, Response},
};

/// Most incidents that are remembered; the oldest closed ones go first.
pub const REMEMBERED: usize = 500;
/// Most endpoints and credentials that one incident names.
const NAMED: usize = 64;

/// Something that was done about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// When.
    pub time: Timestamp,
    /// What.
    pub response: Response,
    /// The event that tells of it; `None` where a person did it by hand.
    pub event: Option<String>,
    /// The rule or budget that called for it, or the reason that a person gave.
    pub ground: String,
    /// Whether it was done to the whole session: a rule's `kill` ends one process.
    pub whole: bool,
}

/// A credential that was read outside sanctioned use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRead {
    /// The file.
    pub path: String,
    /// Its class in the catalogue.
    pub class: String,
    /// The event.
    pub event: String,
    /// When.
    pub time: Timestamp,
    /// The program that read it.
    pub reader: String,
    /// Its process id.
    pub pid: u32,
}

impl CredentialRead {
    /// The read that an event tells of.
    #[must_use]
    pub fn of(event: &EventRecord, class: &str) -> Self {
        Self {
            path: object(&event.act),
            class: class.to_owned(),
            event: event.id.clone(),
            time: event.time,
            reader: event.process.exe.clone().unwrap_or_default(),
            pid: event.process.pid,
        }
    }
}

/// An endpoint that the session reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Name or address, with port.
    pub endpoint: String,
    /// When first.
    pub time: Timestamp,
    /// The event.
    pub event: String,
    /// Whether that was before the incident began: it can have been used again, which is not told.
    pub before: bool,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// `i-` and the id of its first event.
    pub id: String,
    /// The session.
    pub session: String,
    /// The agent.
    pub agent: String,
    /// For whom.
    pub owner: String,
    /// Their user id.
    pub uid: u32,
    /// The machine.
    pub host: String,
    /// The first act outside the scope: when.
    pub began: Timestamp,
    /// In one line.
    pub first: String,
    /// The latest one.
    pub last: Timestamp,
    /// How many there were.
    pub cuts: u64,
    /// What they weigh together, before repeats and kinds are reckoned.
    pub weight: u64,
    /// Kinds of acts.
    pub kinds: Vec<Kind>,
    /// The first answer that somebody notices: a refusal, a freeze, a kill, a used-up budget.
    pub detected: Option<Answer>,
    /// The freeze or kill after which there was no other cut.
    pub contained: Option<Answer>,
    /// When the session ended, or a person let it go on; open where neither.
    pub ended: Option<Timestamp>,
    /// Credentials that were read.
    pub credentials: Vec<CredentialRead>,
    /// Endpoints that were reached, and not refused.
    pub endpoints: Vec<Reached>,
    /// Bytes that left the session from its first cut on; `None` where that is not known.
    pub bytes_out: Option<u64>,
    /// Where they went, the most first.
    #[serde(default)]
    pub sent: Vec<SentTo>,
    /// Credentials and endpoints beyond those that are named.
    pub unnamed: u64,
}

impl Incident {
    /// From the first cut to its detection, in milliseconds; `None` where it was not noticed.
    #[must_use]
    pub fn to_detect(&self) -> Option<i64> {
        Some(millis(self.began, self.detected.as_ref()?.time))
    }

    /// From the first cut to its containment, in milliseconds; `None` where it was not contained.
    #[must_use]
    pub fn to_contain(&self) -> Option<i64> {
        Some(millis(self.began, self.contained.as_ref()?.time))
    }

    /// The end of the exposure window: the containment, or else the end of the session; `None` while it is open.
    #[must_use]
    pub fn closed(&self) -> Option<Timestamp> {
        self.contained.as_ref().map(|answer| answer.time).or(self.ended)
    }
}

fn millis(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.duration_since(from).as_millis())
        .unwrap_or(i64::MAX)
        .max(0)
}

/// Bytes that went to one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTo {
    /// The address, with its port where the protocol has ports.
    pub endpoint: String,
    /// `tcp`, `udp`, `icmp`, or its number.
    pub protocol: String,
    /// How many, headers left out and what was sent again included.
    pub bytes: u64,
}

/// The incidents of all sessions.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    /// Those that can still change, by session.
    open: BTreeMap<String, Incident>,
    closed: VecDeque<Incident>,
    /// What each live session reached so far.
    reached: BTreeMap<String, Vec<Reached>>,
}

impl Incidents {
    /// Takes in an event of a session. `class` is the class of the catalogue that the file of the act is of, where a
    /// read of it means that it has to be replaced. Returns the credential where one was read.
    pub fn take(&mut self, event: &EventRecord, class: Option<&str>) -> Option<CredentialRead> {
        let verdict = &event.verdict;
        let session = &event.session.id;
        let went_through = verdict.applied <= Response::Flag;
        if went_through && matches!(event.act.kind, Kind::NetConnect | Kind::NetSend) && !is_answer(event) {
            self.reach(event);
        }
        if verdict.called_for == Response::Allow {
            return None;
        }
        if is_answer(event) {
            let incident = self.open.get_mut(session)?;
            answer(incident, event);
            return None;
        }
        let before = self.reached.get(session);
        let incident = self
            .open
            .entry(session.clone())
            .or_insert_with(|| begin(event, before));
        incident.cuts = incident.cuts.saturating_add(event.count);
        incident.weight = incident
            .weight
            .saturating_add(u64::from(event.weight).saturating_mul(event.count));
        incident.began = incident.began.min(event.time);
        incident.last = incident.last.max(event.time);
        if !incident.kinds.contains(&event.act.kind) {
            incident.kinds.push(event.act.kind);
        }
        // What comes after the end of one process was not contained by it. What comes after the session was stopped was
        // on its way by then: it is contained from now on.
        incident.contained = incident.contained.take().and_then(|stopped| {
            stopped.whole.then(|| Answer {
                time: stopped.time.max(event.time),
                ..stopped
            })
        });
        if verdict.applied >= Response::Deny {
            answer(incident, event);
        }
        let read = went_through && !is_pattern(event) && event.act.access.contains(&Access::Read);
        event.act.path.as_ref()?;
        let read = CredentialRead::of(event, class.filter(|_| read)?);
        name_credential(incident, &read);
        Some(read)
    }

    /// A pattern showed that a credential was read, which by itself was no cut.
    pub fn read(&mut self, session: &str, read: &CredentialRead) {
        if let Some(incident) = self.open.get_mut(session) {
            name_credential(incident, read);
        }
    }

    /// A session was frozen or killed, by an event that was taken in before or by a person.
    pub fn contained(&mut self, session: &str, response: Response, time: Timestamp, reason: &str) {
        if let Some(incident) = self.open.get_mut(session) {
            let by_hand = Answer {
                time,
                response,
                event: None,
                ground: reason.to_owned(),
                whole: true,
            };
            incident.detected.get_or_insert_with(|| by_hand.clone());
            incident.contained.get_or_insert(by_hand);
        }
    }

    /// What left a session so far, the most first; says whether that is new.
    pub fn sent(&mut self, session: &str, mut sent: Vec<SentTo>) -> bool {
        let Some(incident) = self.open.get_mut(session) else {
            return false;
        };
        let bytes_out = Some(sent.iter().map(|one| one.bytes).sum());
        sent.truncate(NAMED);
        let is_new = incident.bytes_out != bytes_out || incident.sent != sent;
        (incident.bytes_out, incident.sent) = (bytes_out, sent);
        is_new
    }

    /// A person let a session go on: what it does from now on is another incident.
    pub fn thawed(&mut self, session: &str, time: Timestamp) {
        self.close(session, time);
    }

    /// A session ended.
    pub fn ended(&mut self, session: &str, time: Timestamp) {
        self.close(session, time);
        self.reached.remove(session);
    }

    /// Whether a session has an incident that can still change.
    #[must_use]
    pub fn is_open(&self, session: &str) -> bool {
        self.open.contains_key(session)
    }

    fn close(&mut self, session: &str, time: Timestamp) {
        if let Some(mut incident) = self.open.remove(session) {
            incident.ended = Some(time.max(incident.last));
            self.remember(incident);
        }
    }

    fn remember(&mut self, incident: Incident) {
        self.closed.push_back(incident);
        while self.closed.len() > REMEMBERED {
            self.closed.pop_front();
        }
    }

    /// Puts back what was kept of earlier ones; those that are open go on, where their session is `live`.
    pub fn restore(&mut self, kept: Vec<Incident>, live: &dyn Fn(&str) -> bool) {
        for mut incident in kept {
            if incident.ended.is_none() && live(&incident.session) {
                self.open.insert(incident.session.clone(), incident);
            } else {
                // Its session ended while no daemon looked; the last that is known of it stands.
                incident.ended.get_or_insert(incident.last);
                self.remember(incident);
            }
        }
    }

    /// Every incident, the oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<&Incident> {
        let mut all: Vec<_> = self.closed.iter().chain(self.open.values()).collect();
        all.sort_by(|one, other| (one.began, &one.id).cmp(&(other.began, &other.id)));
        all
    }

    /// What a session reached so far, as `host:port`.
    pub fn reached(&self, session: &str) -> impl Iterator<Item = &Reached> {
        self.reached.get(session).into_iter().flatten()
    }

    fn reach(&mut self, event: &EventRecord) {
        let endpoint = object(&event.act);
        let reached = self.reached.entry(event.session.id.clone()).or_default();
        let fresh = Reached {
            endpoint,
            time: event.time,
            event: event.id.clone(),
            before: false,
        };
        if reached.len() < NAMED && reached.iter().all(|known| known.endpoint != fresh.endpoint) {
            reached.push(fresh.clone());
        }
        if let Some(incident) = self.open.get_mut(&event.session.id) {
            let known = incident
                .endpoints
                .iter_mut()
                .find(|known| known.endpoint == fresh.endpoint);
            if let Some(known) = known {
                known.before &= event.time < incident.began;
            } else if incident.endpoints.len() < NAMED {
                incident.endpoints.push(fresh);
            } else {
                incident.unnamed += 1;
            }
        }
    }
}

fn name_credential(incident: &mut Incident, read: &CredentialRead) {
    let known = incident
        .credentials
        .iter()
        .any(|known| (&known.path, &known.reader) == (&read.path, &read.reader));
    if !known && incident.credentials.len() < NAMED {
        incident.credentials.push(read.clone());
    } else if !known {
        incident.unnamed += 1;
    }
}

fn begin(event: &EventRecord, before: Option<&Vec<Reached>>) -> Incident {
    let earlier = |reached: &Reached| Reached {
        before: reached.time < event.time,
        ..reached.clone()
    };
    Incident {
        id: format!("i-{}", event.id),
        session: event.session.id.clone(),
        agent: event.session.agent.clone(),
        owner: owner_name(&event.session.owner),
        uid: event.session.owner.uid,
        host: event.host.name.clone(),
        began: event.time,
        first: format!("{} {}", event.act.kind.word(), object(&event.act)),
        last: event.time,
        cuts: 0,
        weight: 0,
        kinds: Vec::new(),
        detected: None,
        contained: None,
        ended: None,
        credentials: Vec::new(),
        endpoints: before.into_iter().flatten().map(earlier).collect(),
        bytes_out: None,
        sent: Vec::new(),
        unnamed: 0,
    }
}

/// Notes what an event says was done.
fn answer(incident: &mut Incident, event: &EventRecord) {
    let verdict = &event.verdict;
    let answer = Answer {
        time: event.time,
        response: verdict.applied,
        event: Some(event.id.clone()),
        ground: verdict.rule.clone().unwrap_or_else(|| "default".to_owned()),
        whole: verdict.applied == Response::Freeze || is_answer(event),
    };
    incident.detected.get_or_insert_with(|| answer.clone());
    if verdict.applied >= Response::Freeze {
        incident.contained = Some(answer);
    }
}
