//! The verdict on an open that waits in fanotify: from the same tables as the kernel's.

use std::{path::Path, sync::Arc};

use nix::sys::signal::Signal;
use scopeward_abi::{
    grant::of,
    member::{Member, mode},
    object::{Match, ObjectKey, role},
    verdict,
};

use crate::{
    attribute::clock::Clock,
    decide::{
        compile::{Compiled, join},
        grants::file_key,
    },
    decode::response_of,
    observe::fanotify::{Answer, Arbiter, Change, ChangeKind, Observer, Opening},
    observe::memberships::is_of,
    pipeline::Monitor,
    record::event::{ActRecord, EventRecord},
    respond::signal,
    scope::words::{Access, Kind, Mode, Response, Tier, When},
    service::{
        acts::device,
        events::{Actor, Answered},
        state::State,
    },
};

/// Decides opens of guarded files, and hears of changes to them.
pub struct Doorkeeper(pub Arc<Monitor>);

impl Arbiter for Doorkeeper {
    fn is_member(&self, pid: i32) -> bool {
        u32::try_from(pid).is_ok_and(|pid| self.0.memberships.get(pid).is_some())
    }

    fn decide(&self, opening: &Opening<'_>) -> Answer {
        let Ok(pid) = u32::try_from(opening.pid) else {
            return Answer::Allow;
        };
        let Some(member) = self.0.memberships.get(pid) else {
            return Answer::Allow;
        };
        self.0.with_state(|state| state.opening(pid, &member, opening))
    }
}

impl Observer for Doorkeeper {
    fn was_member(&self, pid: i32) -> bool {
        let Ok(pid) = u32::try_from(pid) else { return false };
        self.0.memberships.get(pid).is_some()
            || self
                .0
                .with_state(|state| (state.processes.get(pid).is_some(), Vec::new()))
    }

    fn changed(&self, change: &Change) {
        self.0.with_state(|state| ((), state.changed(change)));
    }

    fn refreshed(&self, _path: &Path, _dev: (u32, u32), _inode: u64) {
        self.0.files_changed();
    }
}

impl State {
    /// Answers an opening, and says what is to be recorded.
    fn opening(&mut self, pid: u32, member: &Member, opening: &Opening<'_>) -> (Answer, Vec<EventRecord>) {
        let allowed = (Answer::Allow, Vec::new());
        let dev = opening.dev.0 << 20 | opening.dev.1;
        let path = opening.path.map(|path| path.to_string_lossy().into_owned());
        let Some(policy) = self.policies.get(member.policy) else {
            return allowed;
        };
        let found = policy
            .compiled
            .at(dev, opening.inode, path.as_deref(), opening.exec);
        let Some((entry, mut called_for)) = policy.compiled.answer(member, &found) else {
            return allowed;
        };
        if !opening.exec {
            // fanotify does not say whether it is opened for reading or for writing: what is refused here is refused
            // for both. The rest is told apart at the exit of the system call.
            let write = policy.compiled.answer_to_write(member, &found);
            called_for = called_for.min(write.map_or(Response::Allow, |(_, response)| response));
        }
        let Some(session) = self.kernel.maps.session(member.session) else {
            return allowed;
        };
        if called_for < Response::Deny || session.mode == mode::OBSERVE {
            // The open goes on, and the exit of the system call tells of it.
            return allowed;
        }
        let granted = [of::FILE, of::PROGRAM]
            .map(|of| file_key(member.session, opening.inode, dev, of))
            .iter()
            .any(|key| self.grants.holding(key, Clock::boot_ns()).is_some());
        if granted {
            // fanotify does not say how it is opened: the hook at the exit of the system call does, holds it to what was
            // granted, and tells of it.
            return allowed;
        }
        let Some(policy) = self.policies.get(member.policy) else {
            return allowed;
        };
        let actor = Actor {
            pid,
            tid: pid,
            session: member.session,
            cookie: member.cookie,
            policy: member.policy,
            generation: policy.compiled.policy.generation,
            time: Clock::boot_ns(),
        };
        self.processes.look_again(pid, actor.session, actor.cookie);
        if called_for == Response::Kill {
            let is_it = || {
                self.kernel
                    .maps
                    .member(pid)
                    .is_some_and(|now| now.cookie == member.cookie && is_of(pid, &now))
            };
            if signal::send(pid, Signal::SIGKILL, is_it).is_err() {
                self.trouble("process could not be killed");
            }
        }
        let kind = if opening.exec {
            Kind::ProcessExec
        } else {
            Kind::FileOpen
        };
        let act = ActRecord {
            path,
            access: if opening.exec {
                Vec::new()
            } else {
                vec![Access::Read]
            },
            dev: Some(device(dev)),
            inode: Some(opening.inode),
            ..ActRecord::new(kind)
        };
        let answered = Answered {
            called_for,
            applied: called_for,
            when: When::BeforeAct,
            tier: Tier::Fanotify,
        };
        let told = self.refusal(&actor, act, answered, entry, opening.inode);
        if called_for == Response::Freeze {
            self.respond(&actor, answered);
        }
        (Answer::Deny, told)
    }

    /// Counts a cut that the kernel's programs did not see, and tells of it: the first of each rule and object, then
    /// every tenth, hundredth and so on.
    fn refusal(
        &mut self,
        actor: &Actor,
        act: ActRecord,
        answered: Answered,
        entry: u32,
        inode: u64,
    ) -> Vec<EventRecord> {
        if let Some(session) = self.sessions.get_mut(actor.session) {
            session.own_cuts += 1;
        }
        let seen = self.refused.entry((actor.session, entry, inode)).or_insert(0);
        *seen += 1;
        let count = *seen;
        // One process that is killed each time is a story of its own each time; a loop of refusals is not.
        let told = answered.applied != Response::Deny || count <= 16 || count.is_power_of_two();
        if !told {
            return Vec::new();
        }
        vec![self.tell(actor, act, answered, entry)]
    }

    /// An act on a guarded thing that has happened already.
    fn changed(&mut self, change: &Change) -> Vec<EventRecord> {
        let Ok(pid) = u32::try_from(change.pid) else {
            return Vec::new();
        };
        let Some(process) = self.processes.get(pid) else {
            return Vec::new();
        };
        let (session, cookie) = (process.session, process.cookie);
        let Some(known) = self.sessions.get(session) else {
            return Vec::new();
        };
        let (number, enforces) = (known.policy, known.mode == Mode::Enforce);
        let Some(policy) = self.policies.get(number) else {
            return Vec::new();
        };
        let dev = change.dev.0 << 20 | change.dev.1;
        let path = change.path.to_string_lossy().into_owned();
        let found = policy.compiled.at(dev, change.inode, Some(&path), false);
        let member = self.kernel.maps.member(pid).unwrap_or_default();
        let Some((entry, called_for)) = policy.compiled.answer_to_write(&member, &found) else {
            return Vec::new();
        };
        let is_file = || std::fs::symlink_metadata(&change.path).is_ok_and(|found| found.is_file());
        let answered_at_open = match change.kind {
            // A write through a descriptor was answered when it was opened: what is left of a guard that refuses is
            // truncate(2), or a descriptor from before.
            ChangeKind::Modify => called_for < Response::Deny,
            // A file is created by an open.
            ChangeKind::Create => is_file(),
            _ => false,
        };
        if answered_at_open
            || (self.kernel.denies_changes().is_some()
                && !left_to_fanotify(change.kind, enforces, called_for))
        {
            return Vec::new();
        }
        let generation = policy.compiled.policy.generation;
        let actor = Actor {
            pid,
            tid: pid,
            session,
            cookie,
            policy: number,
            generation,
            time: Clock::boot_ns(),
        };
        let applied = match called_for {
            Response::Allow | Response::Flag => called_for,
            _ if !enforces => Response::Flag,
            Response::Deny | Response::Kill => Response::Kill,
            Response::Freeze => Response::Freeze,
        };
        let act = ActRecord {
            path: Some(path),
            to: change.to.as_ref().map(|to| to.to_string_lossy().into_owned()),
            access: vec![Access::Write],
            dev: Some(device(dev)),
            inode: Some(change.inode),
            ..ActRecord::new(kind_of(change.kind))
        };
        let answered = Answered {
            called_for,
            applied,
            when: When::After,
            tier: Tier::Fanotify,
        };
        if called_for > Response::Allow
            && let Some(grant) = self.use_grant(&file_key(session, change.inode, dev, of::FILE))
        {
            let passed = Answered {
                called_for: Response::Allow,
                applied: Response::Allow,
                ..answered
            };
            let mut record = self.tell(&actor, act, passed, entry);
            record.verdict.grant = Some(grant);
            return vec![record];
        }
        let told = if called_for == Response::Allow {
            Vec::new()
        } else {
            self.refusal(&actor, act, answered, entry, change.inode)
        };
        match applied {
            Response::Kill => self.kill_process(pid, cookie),
            Response::Freeze => self.respond(&actor, answered),
            _ => {}
        }
        told
    }
}

/// Whether a change can have happened without a security hook that answered it, where those answer changes: times that
/// are set, and writes through a descriptor from before the session, of what would have been refused otherwise.
fn left_to_fanotify(kind: ChangeKind, enforces: bool, called_for: Response) -> bool {
    matches!(kind, ChangeKind::Modify | ChangeKind::Attributes) && enforces && called_for >= Response::Deny
}

const fn kind_of(change: ChangeKind) -> Kind {
    match change {
        ChangeKind::Create => Kind::FileCreate,
        ChangeKind::Rename | ChangeKind::Replace => Kind::FileRename,
        ChangeKind::Link => Kind::FileLink,
        ChangeKind::Unlink => Kind::FileUnlink,
        ChangeKind::Modify => Kind::FileTruncate,
        ChangeKind::Attributes => Kind::FileAttributes,
    }
}

/// What an object matches: by itself, and by its path where that is known. The stronger answer holds, as in the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    object: Match,
    named: Match,
}

impl Compiled {
    /// What guards the object with this device and inode, and this path.
    pub(super) fn at(&self, dev: u32, inode: u64, path: Option<&str>, exec: bool) -> Found {
        let (table, patterns) = if exec {
            (&self.programs, &self.program_matches)
        } else {
            (&self.files, &self.file_matches)
        };
        let key = ObjectKey {
            inode,
            dev,
            ns: table.ns(),
            role: role::LEAF,
            pad: 0,
        };
        let mut found = Found {
            object: table.objects.get(&key).copied().unwrap_or_default(),
            named: Match::default(),
        };
        if let Some(path) = path {
            for (_, one) in patterns.iter().filter(|(pattern, _)| pattern.matches(path)) {
                join(&mut found.named, one);
            }
        }
        found
    }

    /// What the entries for reading (or executing) say; `None` where no entry guards it.
    pub(super) fn answer(&self, member: &Member, found: &Found) -> Option<(u32, Response)> {
        self.stronger(member, found, |one| one.read)
    }

    /// What the entries for writing say.
    pub(super) fn answer_to_write(&self, member: &Member, found: &Found) -> Option<(u32, Response)> {
        self.stronger(member, found, |one| one.write)
    }

    /// As the kernel decides it: `None` where no entry guards it.
    fn stronger(
        &self,
        member: &Member,
        found: &Found,
        of: impl Fn(&Match) -> u32,
    ) -> Option<(u32, Response)> {
        let mask = found.object.mask | found.named.mask;
        let answer = |number: u32| {
            let index = (number as usize).checked_sub(1)?;
            Some(verdict::answer(self.entries.get(index), number, member, mask))
        };
        let held = match (answer(of(&found.object)), answer(of(&found.named))) {
            (Some(by_object), Some(by_name)) => verdict::stronger(by_object, by_name),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return None,
        };
        Some((held.entry, response_of(held.response)))
    }
}
