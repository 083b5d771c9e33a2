//! Where sessions come from: looked at when they start and from then on, and told where it changes.

use std::sync::Arc;

use crate::{
    attribute::{origin, owner, sessions::Session},
    pipeline::Monitor,
    record::event::{ActRecord, EventRecord, Origin, ProcessRef, SCHEMA, SessionRef, VerdictRecord},
    scope::words::{Kind, Response, Tier, When},
    service::state::State,
};

/// Most processes of a session whose environment is read for the agent's own session id.
const ASKED: usize = 32;

/// What is looked at of one session, apart from the lock.
struct Look {
    key: u64,
    root: u32,
    members: Vec<u32>,
    known: Origin,
    told: bool,
}

impl Monitor {
    /// Looks where every session comes from, and tells of those that are new or have changed.
    pub fn look_at_origins(&self) {
        for look in self.origins_to_look_at() {
            let found = look.now();
            if found == look.known && look.told {
                continue;
            }
            self.with_state(|state| ((), state.came_from(look.key, found).into_iter().collect()));
            self.note(look.key);
        }
    }

    fn origins_to_look_at(&self) -> Vec<Look> {
        let state = self.lock();
        let look = |(key, session): (u64, &Session)| Look {
            key,
            root: session.facts.root_pid,
            members: state
                .processes
                .of_session(key)
                .filter(|(_, process)| process.alive)
                .map(|(pid, _)| pid)
                .take(ASKED)
                .collect(),
            known: session.origin.clone(),
            told: session.origin_told,
        };
        state.sessions.live().map(look).collect()
    }
}

impl Look {
    fn now(&self) -> Origin {
        let mut found = if self.members.contains(&self.root) {
            origin::of(self.root)
        } else {
            // Its root has ended: where it came from stays.
            self.known.clone()
        };
        // What was known is not forgotten because it cannot be read any more.
        found.agent_session = found
            .agent_session
            .or_else(|| self.known.agent_session.clone())
            .or_else(|| self.members.iter().find_map(|pid| owner::agent_session(*pid)));
        if found.cwd.is_none() {
            found = Origin {
                agent_session: found.agent_session,
                ..self.known.clone()
            };
        }
        found
    }
}

impl State {
    /// Takes in where a session comes from, and says so.
    fn came_from(&mut self, key: u64, found: Origin) -> Option<EventRecord> {
        let time = jiff::Timestamp::now();
        let id = self.next_id(time);
        let session = self.sessions.get_mut(key)?;
        session.origin = found.clone();
        session.origin_told = true;
        if found.agent_session != session.facts.agent_session {
            let facts = SessionRef {
                agent_session: found.agent_session.clone(),
                ..(*session.facts).clone()
            };
            session.facts = Arc::new(facts);
        }
        let facts = (*session.facts).clone();
        Some(EventRecord {
            schema: SCHEMA.to_owned(),
            id,
            time,
            host: self.host.clone(),
            verdict: VerdictRecord {
                called_for: Response::Allow,
                applied: Response::Allow,
                when: When::After,
                tier: Tier::Daemon,
                scope: facts.agent.clone(),
                rule: None,
                reason: None,
                grant: None,
            },
            process: ProcessRef {
                pid: facts.root_pid,
                tid: facts.root_pid,
                ..ProcessRef::default()
            },
            session: facts,
            act: ActRecord {
                origin: Some(Box::new(found)),
                ..ActRecord::new(Kind::SessionOwner)
            },
            weight: 0,
            count: 1,
            generation: 0,
            chain: None,
        })
    }
}
