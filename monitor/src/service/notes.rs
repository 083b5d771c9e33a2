//! What the next daemon needs to know of this one's sessions: kept in the run directory, which a reboot clears as it
//! clears the pins.

use std::{collections::BTreeSet, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    attribute::{
        clock::Clock,
        sessions::{Session, SessionState},
    },
    observe::handover::Predecessor,
    pipeline::Monitor,
    record::event::{EventRecord, Origin, SessionRef},
    scope::words::Mode,
    service::{
        handover,
        policies::{Policies, Source},
        scopes::{self, Loaded},
        state::State,
    },
};

/// One session.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    key: u64,
    facts: SessionRef,
    policy: u32,
    uid: u32,
    mode: Mode,
    since: jiff::Timestamp,
    cgroup: Option<std::path::PathBuf>,
    source: Source,
    #[serde(default)]
    origin: Origin,
    #[serde(default)]
    frozen: Option<Frozen>,
    #[serde(default)]
    tightened: Option<String>,
}

/// How a session was frozen: what `pending` shows, and from when its timeout counts.
#[derive(Debug, Serialize, Deserialize)]
struct Frozen {
    reason: String,
    /// Boot clock, ns.
    at: u64,
    by: Option<EventRecord>,
    evidence: Option<std::path::PathBuf>,
}

fn frozen(session: &Session) -> Option<Frozen> {
    match (&session.state, session.frozen_at) {
        (SessionState::Frozen(reason), Some(at)) => Some(Frozen {
            reason: reason.clone(),
            at,
            by: session.frozen_by.clone(),
            evidence: session.evidence.clone(),
        }),
        _ => None,
    }
}

impl State {
    /// Notes a session; a note that cannot be written only means that the next daemon knows less of it.
    ///
    /// # Errors
    /// What the filesystem says.
    pub fn note(&self, directory: &Path, key: u64) -> std::io::Result<()> {
        let Some(session) = self.sessions.get(key) else {
            return Ok(());
        };
        let Some(policy) = self.policies.get(session.policy) else {
            return Ok(());
        };
        let note = Note {
            key,
            facts: (*session.facts).clone(),
            policy: session.policy,
            uid: policy.uid,
            mode: session.mode,
            since: session.since,
            cgroup: session.cgroup.clone(),
            source: policy.source.clone(),
            origin: session.origin.clone(),
            frozen: frozen(session),
            tightened: session.tightened.clone(),
        };
        fs::create_dir_all(directory)?;
        let text = serde_json::to_vec(&note)?;
        let (path, fresh) = (
            directory.join(format!("{key}.json")),
            directory.join(format!("{key}.new")),
        );
        fs::write(&fresh, text)?;
        fs::rename(fresh, path)
    }

    /// Notes a session that has changed.
    pub fn note_again(&mut self, key: u64) {
        let Some(directory) = self.notes.clone() else {
            return;
        };
        if self.note(&directory, key).is_err() {
            self.trouble("session could not be noted for the next daemon");
        }
    }
}

/// Takes over the sessions that an earlier daemon left held in the kernel: acts in between were answered there, and
/// what the ring kept of them is told now.
pub fn adopt(monitor: &Monitor) {
    let Some(directory) = monitor.settings.notes.as_deref() else {
        return;
    };
    let mut state = monitor.lock();
    let others = monitor.settings.pins.as_deref().map(Predecessor::find);
    let others = handover::sessions(&mut state, others.unwrap_or_default());
    let held = state.kernel.maps.all_sessions();
    let mut notes: Vec<Note> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| serde_json::from_slice(&fs::read(entry.path()).ok()?).ok())
        .collect();
    notes.retain(|note| held.iter().any(|(key, _)| *key == note.key));
    let mut policies = BTreeSet::new();
    for note in &notes {
        // A policy holds many sessions, and is compiled for the first of them.
        let whole = restore(&mut state, note).is_some()
            && (!policies.insert(note.policy) || restore_policy(&mut state, note).is_some());
        if !whole {
            state.trouble("noted session could not be taken over whole");
        }
    }
    handover::members(&mut state, others);
    let members = state.kernel.maps.all_members();
    for (pid, member) in members {
        let gone = !Path::new(&format!("/proc/{pid}")).exists();
        if gone {
            state.kernel.maps.remove_member(pid);
        } else {
            state.processes.found(pid, member.session, member.cookie);
        }
    }
    state.adopt_grants();
    for (key, _) in held {
        state.settle(key);
    }
    forget_stale(&state, directory);
}

fn restore(state: &mut State, note: &Note) -> Option<()> {
    let kernel = state.kernel.maps.session(note.key)?;
    let mut session = Session::new(note.facts.clone(), note.policy, note.mode, note.since);
    session.cgroup.clone_from(&note.cgroup);
    session.origin.clone_from(&note.origin);
    session.origin_told = true;
    session.tightened.clone_from(&note.tightened);
    if kernel.state == scopeward_abi::member::state::FROZEN {
        let before = note.frozen.as_ref();
        session.state = SessionState::Frozen(before.map_or_else(
            || "frozen before the daemon was started again".to_owned(),
            |before| before.reason.clone(),
        ));
        // Its time to decide goes on from where it was.
        session.frozen_at = Some(before.map_or_else(Clock::boot_ns, |before| before.at));
        session.frozen_by = before.and_then(|before| before.by.clone());
        session.evidence = before.and_then(|before| before.evidence.clone());
    }
    state.sessions.insert(note.key, session);
    Some(())
}

fn restore_policy(state: &mut State, note: &Note) -> Option<()> {
    let Loaded { mut scope, source } = match note.source.file.strip_prefix('@') {
        Some(name) => scopes::named(&state.scopes, name).ok()?,
        None => scopes::inline(&note.source.file, &note.source.text, &note.source.fragments).ok()?,
    };
    scope.mode = note.mode;
    let files = state.files.clone();
    let put: Result<(), _> = Policies::put(
        &mut state.policies,
        &mut state.kernel.maps,
        note.policy,
        &scope,
        &source,
        note.uid,
        &state.names,
        &files.look(),
    );
    put.ok()
}

fn forget_stale(state: &State, directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let key = entry
            .path()
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok());
        if key.is_none_or(|key: u64| state.sessions.get(key).is_none_or(|session| !session.is_live())) {
            // Another look comes with the next start.
            drop(fs::remove_file(entry.path()));
        }
    }
}
