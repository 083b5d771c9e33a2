//! What is done to a whole session: freeze, thaw, kill, end.

use nix::sys::signal::Signal;
use scopeward_abi::member::{Session as KernelSession, state as kernel_state};

use crate::{
    attribute::{clock::Clock, sessions::SessionState},
    ledger::cut::nanoseconds,
    observe::{maps::MapsError, memberships::is_of},
    respond::{cgroup, signal},
    scope::words::{Response, Step},
    service::state::State,
};

impl State {
    /// Stops every process of a session. The kernel is told first: whatever passes a hook from now on stops by itself.
    ///
    /// # Errors
    /// [`MapsError`] where the kernel could not be told.
    pub fn freeze(&mut self, key: u64, reason: &str) -> Result<(), MapsError> {
        self.tell_kernel(key, kernel_state::FROZEN)?;
        let Some(session) = self.sessions.get_mut(key).filter(|session| session.is_live()) else {
            return Ok(());
        };
        if !matches!(session.state, SessionState::Frozen(_)) {
            session.state = SessionState::Frozen(reason.to_owned());
            session.frozen_at = Some(Clock::boot_ns());
        }
        self.note_contained(key, Response::Freeze, reason);
        self.note_sent(key);
        let Some(session) = self.sessions.get(key) else {
            return Ok(());
        };
        if let Some(at) = &session.cgroup
            && cgroup::set_frozen(at, true).is_err()
        {
            self.trouble("cgroup could not be frozen");
        }
        self.signal_all(key, Signal::SIGSTOP);
        if !self.evidence_due.contains(&key) {
            self.evidence_due.push(key);
        }
        self.note_again(key);
        Ok(())
    }

    /// Lets a frozen session go on.
    ///
    /// # Errors
    /// [`MapsError`] where the kernel could not be told.
    pub fn thaw(&mut self, key: u64) -> Result<(), MapsError> {
        self.let_go(key)?;
        let Some(session) = self.sessions.get_mut(key).filter(|session| session.is_live()) else {
            return Ok(());
        };
        session.state = SessionState::Running;
        session.frozen_at = None;
        session.frozen_by = None;
        session.evidence = None;
        session.tightened = None;
        let name = session.facts.id.clone();
        if let Some(at) = &session.cgroup
            && cgroup::set_frozen(at, false).is_err()
        {
            self.trouble("cgroup could not be thawed");
        }
        self.ledger.thawed(&name);
        self.note_over(key, true);
        self.signal_all(key, Signal::SIGCONT);
        self.note_again(key);
        Ok(())
    }

    /// Tells the kernel that a session goes on: with all that its scope allows, and with nothing sent yet.
    fn let_go(&mut self, key: u64) -> Result<(), MapsError> {
        let cuts_before = self.kernel.maps.counts(key).map_or(0, |counts| counts.cuts);
        self.note_sent(key);
        self.kernel.maps.forget_sent(key);
        let Some(session) = self.kernel.maps.session(key) else {
            return Ok(());
        };
        let running = KernelSession {
            state: kernel_state::RUNNING,
            tightened: 0,
            exposed: 0,
            cuts_before,
            ..session
        };
        self.kernel.maps.set_session(key, running)
    }

    /// Leaves a session what it has used before, and nothing new.
    ///
    /// # Errors
    /// [`MapsError`] where the kernel could not be told.
    pub fn tighten(&mut self, key: u64, reason: &str) -> Result<(), MapsError> {
        self.set_tightened(key, 1)?;
        if let Some(session) = self.sessions.get_mut(key).filter(|session| session.is_live()) {
            session.tightened.get_or_insert_with(|| reason.to_owned());
        }
        self.note_again(key);
        Ok(())
    }

    fn set_tightened(&mut self, key: u64, tightened: u32) -> Result<(), MapsError> {
        let Some(session) = self.kernel.maps.session(key) else {
            return Ok(());
        };
        self.kernel
            .maps
            .set_session(key, KernelSession { tightened, ..session })
    }

    /// Gives sessions back what their scopes allow, where the budgets that tightened them are no longer used up.
    pub fn loosen_decayed(&mut self) {
        let tightened: Vec<u64> = self
            .sessions
            .live()
            .filter(|(_, session)| session.tightened.is_some())
            .map(|(key, _)| key)
            .collect();
        let now = nanoseconds(jiff::Timestamp::now());
        for key in tightened {
            if self.is_used_up(key, Step::Tighten, now) {
                continue;
            }
            if self.set_tightened(key, 0).is_err() {
                self.trouble("session could not be given back what its scope allows");
                continue;
            }
            if let Some(session) = self.sessions.get_mut(key) {
                session.tightened = None;
            }
            self.note_again(key);
        }
    }

    /// Kills every process of a session.
    ///
    /// # Errors
    /// [`MapsError`] where the kernel could not be told.
    pub fn kill(&mut self, key: u64, reason: &str) -> Result<(), MapsError> {
        self.tell_kernel(key, kernel_state::KILLED)?;
        if let Some(session) = self.sessions.get_mut(key).filter(|session| session.is_live()) {
            session.state = SessionState::Killed(reason.to_owned());
            self.note_contained(key, Response::Kill, reason);
            self.note_sent(key);
        }
        // A process that forks while the others die leaves children that inherit; they die with the next round, or at
        // their first hook.
        for _ in 0..8 {
            if self.signal_all(key, Signal::SIGKILL) == 0 {
                break;
            }
        }
        if let Some(at) = self.sessions.get(key).and_then(|session| session.cgroup.clone()) {
            // 5.14; the signals above have done it where the kernel is older.
            drop(cgroup::set_frozen(&at, false));
            drop(cgroup::kill(&at));
        }
        Ok(())
    }

    /// Ends the life of one process of a session.
    pub fn kill_process(&mut self, pid: u32, cookie: u64) {
        let maps = &self.kernel.maps;
        let is_it = || {
            maps.member(pid)
                .is_some_and(|member| member.cookie == cookie && is_of(pid, &member))
        };
        if signal::send(pid, Signal::SIGKILL, is_it).is_err() {
            self.trouble("process could not be killed");
        }
    }

    fn tell_kernel(&mut self, key: u64, state: u32) -> Result<(), MapsError> {
        let Some(mut session) = self.kernel.maps.session(key) else {
            return Ok(());
        };
        session.state = state;
        self.kernel.maps.set_session(key, session)
    }

    /// Signals every process of a session; returns how many there were.
    fn signal_all(&mut self, key: u64, signal: Signal) -> usize {
        let members: Vec<(u32, u64)> = self
            .kernel
            .maps
            .all_members()
            .into_iter()
            .filter(|(_, member)| member.session == key)
            .map(|(pid, member)| (pid, member.cookie))
            .collect();
        let mut sent = 0;
        for (pid, cookie) in members {
            let maps = &self.kernel.maps;
            let is_it = || {
                maps.member(pid).is_some_and(|member| {
                    member.session == key && member.cookie == cookie && is_of(pid, &member)
                })
            };
            match signal::send(pid, signal, is_it) {
                Ok(true) => sent += 1,
                Ok(false) => {}
                Err(_) => self.trouble("process could not be signalled"),
            }
        }
        sent
    }

    /// Looks whether a session still has processes; ends it where it has none.
    pub fn settle(&mut self, key: u64) {
        if self
            .kernel
            .maps
            .all_members()
            .iter()
            .any(|(_, member)| member.session == key)
        {
            return;
        }
        self.read_counters(key);
        self.note_sent(key);
        self.kernel.stop_counting(key);
        self.kernel.maps.remove_session(key);
        self.note_over(key, false);
        self.refused.retain(|(session, _, _), _| *session != key);
        if let Some(session) = self.sessions.get_mut(key) {
            if session.is_live() {
                session.state = SessionState::Ended;
            }
            self.emptied.extend(session.cgroup.take());
            self.remove_emptied();
        }
    }

    /// How many sessions still run, by their members in the kernel: an end that was not told leaves none.
    pub fn still_held(&mut self) -> usize {
        let live: Vec<u64> = self.sessions.live().map(|(key, _)| key).collect();
        for key in live {
            self.settle(key);
        }
        self.sessions.live().count()
    }

    /// Removes the cgroups of sessions that have ended, as far as their processes have left them.
    pub fn remove_emptied(&mut self) {
        self.emptied.retain(|at| !cgroup::remove(at));
    }

    /// Takes over what the kernel counted.
    pub fn read_counters(&mut self, key: u64) {
        let Some(counted) = self.kernel.maps.counts(key) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(key) {
            session.acts = counted.acts;
            session.cuts = counted.cuts;
        }
    }
}
