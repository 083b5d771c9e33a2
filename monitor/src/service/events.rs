//! From a kernel event to a record: attribute, decide again, respond, and say it in full.

use scopeward_abi::event::{flag, hook};

use crate::{
    api::types::CutInfo,
    attribute::sessions::{Session, SessionState, Sessions},
    decide::compile::{EntryInfo, UNRESOLVED},
    decode::{Body, Head, RawEvent},
    record::event::{ActRecord, EventRecord, ProcessRef, SCHEMA, SessionRef, VerdictRecord, act_line},
    scope::{
        rule_id::RulePlace,
        words::{Kind, Mode, Response, Tier, When},
    },
    service::{
        acts::{change_act, exec_act, map_act, net_act, open_act, other_act, socket_act, unix_act},
        state::State,
    },
};

/// What was answered, from whichever thread.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// What the scope called for.
    pub called_for: Response,
    /// What was done.
    pub applied: Response,
    /// When.
    pub when: When,
    /// By which mechanism.
    pub tier: Tier,
}

/// Who acted, when, under which policy.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// The session's key.
    pub session: u64,
    /// The process's cookie.
    pub cookie: u64,
    /// The policy.
    pub policy: u32,
    /// Its generation.
    pub generation: u32,
    /// Boot clock, ns.
    pub time: u64,
}

impl From<&Head> for Actor {
    fn from(head: &Head) -> Self {
        Self {
            pid: head.pid,
            tid: head.tid,
            session: head.session,
            cookie: head.cookie,
            policy: head.policy,
            generation: head.generation,
            time: head.time,
        }
    }
}

/// What one kernel event led to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is recorded.
    pub records: Vec<EventRecord>,
    /// A session was made or ended: what fanotify marks has to be looked at.
    pub sessions_changed: bool,
}

impl State {
    /// Takes in one event of the ring.
    pub fn take(&mut self, raw: &RawEvent) -> Outcome {
        let mut outcome = self.taken(raw);
        if let Some(mut settled) = self.settled.remove(&raw.head.session) {
            settled.append(&mut outcome.records);
            outcome.records = settled;
        }
        outcome
    }

    fn taken(&mut self, raw: &RawEvent) -> Outcome {
        let (head, mut outcome) = (&raw.head, Outcome::default());
        if head.has(flag::CANDIDATE) {
            match self.recognise(head.pid) {
                Ok(Some(_)) => outcome.sessions_changed = true,
                Ok(None) => {}
                Err(_) => self.trouble("agent could not be enrolled"),
            }
            return outcome;
        }
        let actor = Actor::from(head);
        self.braked = head.has(flag::BRAKED);
        let in_cgroup = (hook::CONNECT..=hook::SOCKET).contains(&head.hook) && head.when == When::BeforeAct;
        let tier = match self.kernel.denies() {
            Some(tier) if head.has(flag::SECURITY) => tier,
            _ if in_cgroup => Tier::Cgroup,
            _ => Tier::Tracepoint,
        };
        let answered = Answered {
            called_for: head.called_for,
            applied: head.applied,
            when: head.when,
            tier,
        };
        match &raw.body {
            Body::Heartbeat => return outcome,
            Body::Fork { pid, cookie } => {
                self.processes
                    .forked(head.pid, head.cookie, head.session, *pid, *cookie);
                return outcome;
            }
            Body::Exec(facts) if head.when == When::BeforeAct && head.applied >= Response::Deny => {
                // It did not happen: the process is what it was.
                outcome
                    .records
                    .push(self.tell(&actor, exec_act(facts), answered, head.entry));
            }
            Body::Exec(facts) => {
                self.processes
                    .executed(head.pid, head.session, head.cookie, facts);
                let act = exec_act(facts);
                outcome.records.push(self.tell(&actor, act, answered, head.entry));
                outcome.records.extend(self.by_arguments(&actor, facts, answered));
            }
            Body::Exit { status } => {
                let act = ActRecord {
                    status: Some(*status),
                    ..ActRecord::new(Kind::ProcessExit)
                };
                outcome.records.push(self.tell(&actor, act, answered, 0));
                self.processes.ended(head.pid, head.cookie);
                // Before the counters go with the session.
                outcome.records.extend(self.overflow(head.session));
                self.settle(head.session);
                outcome.sessions_changed = self
                    .sessions
                    .get(head.session)
                    .is_none_or(|known| !known.is_live());
            }
            Body::Open(facts) => {
                let record = self.tell(&actor, open_act(head, facts), answered, head.entry);
                if head.has(flag::LENT) {
                    self.lend(&record);
                }
                outcome.records.push(record);
            }
            Body::Connect(facts) | Body::Send(facts) => {
                let kind = match &raw.body {
                    Body::Connect(_) => Kind::NetConnect,
                    _ => Kind::NetSend,
                };
                let act = ActRecord {
                    borrowed: head.has(flag::LENT).then(|| self.lent_path(head.session)),
                    ..net_act(kind, facts)
                };
                outcome.records.push(self.tell(&actor, act, answered, head.entry));
            }
            Body::Map(facts) => {
                let act = map_act(facts);
                outcome.records.push(self.tell(&actor, act, answered, head.entry));
            }
            Body::Change(facts) => {
                let act = change_act(facts);
                outcome.records.push(self.tell(&actor, act, answered, head.entry));
            }
            Body::UnixConnect(facts) => {
                let act = unix_act(Kind::UnixConnect, head, facts);
                outcome.records.push(self.tell(&actor, act, answered, head.entry));
            }
            Body::UnixSend(facts) => {
                let act = unix_act(Kind::UnixSend, head, facts);
                outcome.records.push(self.tell(&actor, act, answered, head.entry));
            }
            Body::Other(facts) => {
                let act = other_act(facts);
                outcome.records.push(self.tell(&actor, act, answered, head.entry));
            }
            Body::Socket(facts) => {
                outcome
                    .records
                    .push(self.tell(&actor, socket_act(facts), answered, head.entry));
            }
        }
        if head.has(flag::GRANTED)
            && let Some(record) = outcome.records.first_mut()
        {
            record.verdict.grant = self.grant_of(head, &raw.body);
        }
        self.respond(&actor, answered);
        self.braked = false;
        outcome
    }

    /// What user space adds to an answer of the kernel: the rest of a frozen tree; a process that was doomed in a
    /// thread that never returns to user space (io_uring's workers).
    pub fn respond(&mut self, actor: &Actor, answered: Answered) {
        match answered.applied {
            Response::Freeze => {
                let reason = self.last_cut_line(actor.session);
                if self.freeze(actor.session, &reason).is_err() {
                    self.trouble("session could not be frozen");
                }
            }
            Response::Kill if answered.tier == Tier::Cgroup => self.kill_process(actor.pid, actor.cookie),
            _ => {}
        }
    }

    fn last_cut_line(&self, session: u64) -> String {
        let cut = self
            .sessions
            .get(session)
            .and_then(|known| known.last_cut.as_ref());
        cut.map_or_else(String::new, |cut| format!("{} ({})", cut.act, cut.event))
    }

    /// A record of an act that entry `entry` of the actor's policy answered.
    pub fn tell(&mut self, actor: &Actor, act: ActRecord, answered: Answered, entry: u32) -> EventRecord {
        let policy = self.policies.get(actor.policy);
        let info = policy
            .and_then(|policy| policy.info(actor.generation, entry))
            .cloned();
        let record = self.tell_of(actor, act, answered, info.as_ref());
        let resolved = info.is_none_or(|info| info.pattern != UNRESOLVED);
        if answered.called_for > Response::Allow && resolved {
            self.look_again(actor.policy, &record);
        }
        record
    }

    pub(super) fn tell_of(
        &mut self,
        actor: &Actor,
        mut act: ActRecord,
        answered: Answered,
        info: Option<&EntryInfo>,
    ) -> EventRecord {
        let time = self.clock.wall(actor.time);
        if let Some(info) = info {
            act.name.clone_from(&info.name);
            if act.kind.word().starts_with("file.") && info.rule.is_some() && !info.pattern.is_empty() {
                act.guarded_as = Some(info.pattern.clone());
            }
        }
        let is_cut = answered.called_for > Response::Allow;
        let scope = self
            .policies
            .get(actor.policy)
            .map(|policy| policy.scope.name.clone())
            .unwrap_or_default();
        let rule = info
            .filter(|info| is_cut || info.rule.is_some())
            .and_then(|info| info.rule.as_ref());
        let session = self.session_ref(actor);
        let borrows = rule.is_some_and(|rule| rule.place == RulePlace::BorrowedIdentity);
        let reason = if borrows {
            Some(self.acted_as(actor.session, &act, answered.applied))
        } else {
            info.and_then(|info| info.reason.clone())
        };
        let record = EventRecord {
            schema: SCHEMA.to_owned(),
            id: self.next_id(time),
            time,
            host: self.host.clone(),
            session,
            process: self.process_ref(actor),
            act,
            verdict: VerdictRecord {
                called_for: answered.called_for,
                applied: answered.applied,
                when: answered.when,
                tier: answered.tier,
                scope,
                rule: rule.map(ToString::to_string),
                reason,
                grant: None,
            },
            weight: if is_cut {
                info.map_or(1, |info| info.weight)
            } else {
                0
            },
            count: 1,
            generation: actor.generation,
            chain: None,
        };
        if is_cut {
            self.note_cut(actor, &record);
            self.enter(actor.session, &record);
            if borrows {
                self.note_lent(actor.session, &record);
            }
        } else if matches!(record.act.kind, Kind::NetConnect | Kind::NetSend) {
            self.note_case(&record);
        }
        self.look_for_patterns(actor.session, &record);
        record
    }

    fn session_ref(&mut self, actor: &Actor) -> SessionRef {
        if self.sessions.get(actor.session).is_none() {
            // Its enrolment was by an earlier daemon that kept no note of it.
            let facts = SessionRef {
                id: Sessions::name(&self.host.boot_id, actor.session),
                ..SessionRef::default()
            };
            let session = Session::new(facts, actor.policy, Mode::Enforce, self.clock.wall(actor.time));
            self.sessions.insert(actor.session, session);
        }
        self.sessions
            .get(actor.session)
            .map(|session| (*session.facts).clone())
            .unwrap_or_default()
    }

    fn process_ref(&mut self, actor: &Actor) -> ProcessRef {
        if self
            .processes
            .get(actor.pid)
            .is_none_or(|known| known.cookie != actor.cookie)
        {
            self.processes.found(actor.pid, actor.session, actor.cookie);
        }
        let chain = self.processes.chain(actor.pid);
        let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let lineage = chain
            .iter()
            .rev()
            .filter_map(|(_, process)| process.exe.as_deref().map(base))
            .collect();
        let Some((_, process)) = chain.first() else {
            return ProcessRef {
                pid: actor.pid,
                tid: actor.tid,
                ..ProcessRef::default()
            };
        };
        ProcessRef {
            pid: actor.pid,
            tid: actor.tid,
            ppid: process.ppid,
            started: (process.cookie != 0).then(|| self.clock.wall(process.cookie)),
            exe: process.exe.as_deref().map(str::to_owned),
            script: process.script.as_deref().map(str::to_owned),
            argv: process.argv.to_vec(),
            cwd: process.cwd.as_deref().map(str::to_owned),
            uid: process.uid,
            lineage,
        }
    }

    fn note_cut(&mut self, actor: &Actor, record: &EventRecord) {
        if let Some(process) = self.processes.get_mut(actor.pid) {
            process.cuts += 1;
        }
        if record.verdict.tier != Tier::Fanotify
            && let Some(session) = self.sessions.get_mut(actor.session)
        {
            session.last_record = Some(record.clone());
        }
        let Some(session) = self.sessions.get_mut(actor.session) else {
            return;
        };
        session.last_told = Some(record.clone());
        session.last_cut = Some(CutInfo {
            event: record.id.clone(),
            time: record.time,
            applied: record.verdict.applied,
            act: act_line(&record.act),
        });
        if record.verdict.applied == Response::Freeze && session.frozen_by.is_none() {
            session.frozen_by = Some(record.clone());
            if session.state == SessionState::Running {
                session.frozen_at = Some(actor.time);
            }
        }
    }
}
