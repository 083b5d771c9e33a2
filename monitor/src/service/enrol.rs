//! Making a process, with all that descends from it, a session.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use scopeward_abi::{
    member::{Member, Session as KernelSession, mode, state as kernel_state},
    object::{ObjectKey, ns, role},
};

use crate::{
    attribute::{
        clock::Clock,
        owner,
        processes::parent,
        recognise,
        sessions::{Session, Sessions},
    },
    observe::load::LoadError,
    observe::{
        maps::MapsError,
        memberships::{is_of, started},
    },
    record::event::{Owner, SessionRef},
    respond::{cgroup, signal},
    scope::words::Mode,
    service::{policies::PolicyError, scopes::Loaded, state::State},
};

/// Why a process is in no session.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// It is gone.
    #[error("find process {0}")]
    Gone(u32),
    /// It is in one already.
    #[error("enrol process {pid}: it is in session {session} already")]
    Member {
        /// The process.
        pid: u32,
        /// Its session.
        session: String,
    },
    /// Its scope.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The kernel.
    #[error(transparent)]
    Maps(#[from] MapsError),
    /// The walk over its descendants.
    #[error(transparent)]
    Walk(#[from] LoadError),
}

/// Who is enrolled, and how.
#[derive(Debug)]
pub struct Enrolment<'e> {
    /// The process.
    pub pid: u32,
    /// The user that it runs for, where nobody is known to have logged in.
    pub uid: u32,
    /// The scope.
    pub loaded: &'e Loaded,
    /// In place of the scope's own mode.
    pub mode: Option<Mode>,
    /// Whether it runs already: its descendants are looked for.
    pub running: bool,
}

impl State {
    /// Enrols. The kernel knows of it when this returns; what is marked for fanotify is up to the caller.
    ///
    /// # Errors
    /// [`EnrolError`]; the process is in no session then.
    pub fn enrol(&mut self, asked: &Enrolment<'_>) -> Result<u64, EnrolError> {
        if let Some(member) = self.kernel.maps.member(asked.pid) {
            let session = Sessions::name(&self.host.boot_id, member.session);
            return Err(EnrolError::Member {
                pid: asked.pid,
                session,
            });
        }
        let started = started(asked.pid).ok_or(EnrolError::Gone(asked.pid))?;
        self.kernel.watch(true)?;
        self.last_session = Clock::boot_ns();
        let mut scope = asked.loaded.scope.clone();
        scope.mode = asked.mode.unwrap_or(scope.mode);
        let mut owner = owner::of(asked.pid, asked.uid);
        if asked.uid != 0 {
            // Whoever asks for a session of their own is its owner, whatever login it came from.
            owner = Owner {
                uid: asked.uid,
                name: owner::name(asked.uid),
                ..owner
            };
        }
        let files = self.files.clone();
        let number = self.policies.install(
            &mut self.kernel.maps,
            &scope,
            &asked.loaded.source,
            owner.uid,
            &self.names,
            &files.look(),
        )?;
        let key = self.free_key(started);
        let generation = self
            .policies
            .get(number)
            .map_or(0, |policy| policy.compiled.policy.generation);
        let kernel_session = KernelSession {
            policy: number,
            generation,
            mode: if scope.mode == Mode::Enforce {
                mode::ENFORCE
            } else {
                mode::OBSERVE
            },
            state: kernel_state::RUNNING,
            ..KernelSession::default()
        };
        let facts = SessionRef {
            id: Sessions::name(&self.host.boot_id, key),
            agent: scope.name.clone(),
            root_pid: asked.pid,
            agent_session: owner::agent_session(asked.pid),
            owner,
        };
        let mut session = Session::new(facts, number, scope.mode, jiff::Timestamp::now());
        session.cgroup = cgroup::enter(&self.cgroup_root, &session.facts.id, asked.pid).ok();
        self.sessions.insert(key, session);
        self.kernel.maps.start_counts(key)?;
        self.kernel.maps.set_session(key, kernel_session)?;
        self.count_sent(key);
        let member = Member {
            session: key,
            cookie: started,
            policy: number,
            ..Member::default()
        };
        self.kernel
            .maps
            .set_member(asked.pid, self.labelled(asked.pid, member))?;
        if !is_of(asked.pid, &member) {
            // It ended meanwhile: its number must not stay in the session for whoever gets it next.
            self.kernel.maps.remove_member(asked.pid);
        }
        self.processes.found(asked.pid, key, started);
        if asked.running {
            self.adopt_descendants()?;
        }
        self.settle_open(key, asked.running);
        Ok(key)
    }

    /// Walks over all tasks until a walk finds nothing new: a fork that raced with one walk is found by the next.
    fn adopt_descendants(&mut self) -> Result<(), EnrolError> {
        loop {
            let found = self.kernel.adopt()?;
            for pid in &found.unheld {
                self.end_unheld(*pid);
            }
            if found.enrolled.is_empty() {
                return Ok(());
            }
            for pid in found.enrolled {
                let Some(member) = self.kernel.maps.member(pid) else {
                    continue;
                };
                let labelled = self.labelled(pid, member);
                if labelled != member {
                    self.kernel.maps.set_member(pid, labelled)?;
                    if !is_of(pid, &member) {
                        self.kernel.maps.remove_member(pid);
                    }
                }
                self.processes.found(pid, member.session, member.cookie);
            }
        }
    }

    /// Ends a process that should be in a session and that there was no room for: it would run free.
    fn end_unheld(&mut self, pid: u32) {
        self.trouble("process of a session had no room in the kernel's table and was ended");
        let maps = &self.kernel.maps;
        // Its number can be another's by now.
        let is_it = || maps.member(pid).is_none() && maps.member(parent(pid)).is_some();
        if signal::send(pid, Signal::SIGKILL, is_it).is_err() {
            self.trouble("process could not be killed");
        }
    }

    /// The labels of the program that a process runs already, as the exec hook would have given them.
    pub(super) fn labelled(&self, pid: u32, mut member: Member) -> Member {
        let Some(policy) = self.policies.get(member.policy) else {
            return member;
        };
        let exe = format!("/proc/{pid}/exe");
        let Some(node) = self.files.node(exe.as_ref()) else {
            return member;
        };
        let key = ObjectKey {
            inode: node.inode,
            dev: node.dev,
            ns: member.policy | ns::EXEC,
            role: role::LEAF,
            pad: 0,
        };
        member.labels = policy
            .compiled
            .programs
            .objects
            .get(&key)
            .map_or(0, |found| found.mask);
        if let Ok(path) = std::fs::read_link(&exe) {
            member.labels |= policy.compiled.labels_of(&path.to_string_lossy());
        }
        member
    }

    /// The key of a session: the start of its root, moved on where another has the same.
    fn free_key(&self, started: u64) -> u64 {
        (started..)
            .find(|key| *key != 0 && self.sessions.get(*key).is_none())
            .unwrap_or_else(Clock::boot_ns)
    }

    /// Looks at a process outside sessions whose program fits some `[[match]]`; enrols it where all of one fits.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn recognise(&mut self, pid: u32) -> Result<Option<u64>, EnrolError> {
        if self.kernel.maps.member(pid).is_some() {
            return Ok(None);
        }
        let Some(candidate) = recognise::candidate(pid) else {
            return Ok(None);
        };
        let home = owner::home(candidate.user.1);
        let fits = |loaded: &&Loaded| {
            loaded
                .scope
                .resolve(&home)
                .matches
                .iter()
                .any(|entry| recognise::matches(entry, &candidate))
        };
        let Some(loaded) = self.scopes.iter().find(fits).cloned() else {
            return Ok(None);
        };
        let asked = Enrolment {
            pid,
            uid: candidate.user.1,
            loaded: &loaded,
            mode: None,
            running: true,
        };
        self.enrol(&asked).map(Some)
    }

    /// Looks at every process that runs: what started before the daemon did.
    pub fn recognise_running(&mut self) {
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return;
        };
        let pids: BTreeSet<u32> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        for pid in pids {
            if self
                .recognise(pid)
                .is_err_and(|error| !matches!(error, EnrolError::Gone(_)))
            {
                self.trouble("agent could not be enrolled");
            }
        }
    }
}
