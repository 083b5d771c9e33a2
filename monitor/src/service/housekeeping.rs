//! What happens by the clock: marks, names, scope files, timeouts, counters.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use crate::{
    attribute::{clock::Clock, sessions::SessionState},
    observe::memberships::is_of,
    pipeline::Monitor,
    scope::{model::AfterFreeze, words::Kind},
    service::{fanotify, names},
};

/// How often it looks whether there is anything to do.
const TICK: Duration = Duration::from_millis(50);
/// How often names are resolved.
const NAMES_EVERY: Duration = Duration::from_secs(30);
/// Compiling again takes at most one part in so many of the time: a disk that changes all the time must not keep the
/// daemon busy. Until then the kernel guards what is new by its name.
const REFRESH_SHARE: u32 = 20;
/// How often it is looked where sessions come from: their directory, repository and the agent's own session can change.
const ORIGINS_EVERY: Duration = Duration::from_secs(5);
/// How often the rest is looked at.
const SECOND: Duration = Duration::from_secs(1);

/// Runs until the monitor ends.
pub fn run(monitor: &Arc<Monitor>) {
    let (mut next_names, mut next_second, mut next_refresh) =
        (Instant::now(), Instant::now(), Instant::now());
    let mut next_origins = Instant::now();
    let mut told_before = 0;
    while !monitor.stopping() {
        std::thread::sleep(TICK);
        monitor.keep_evidence();
        let mut stale = monitor.take_marks_stale();
        let now = Instant::now();
        if now >= next_names || (stale && monitor.has_unresolved_names()) {
            next_names = now + NAMES_EVERY;
            stale |= names::refresh(monitor, &mut monitor.known_names());
        }
        if stale && now < next_refresh {
            // Looked at again with a later tick.
            monitor.files_changed();
        } else if stale {
            fanotify::refresh(monitor);
            next_refresh = Instant::now() + now.elapsed() * REFRESH_SHARE;
        }
        if now >= next_second {
            next_second = now + SECOND;
            let told = monitor.told.load(Ordering::Relaxed);
            monitor.each_second(told - told_before);
            if now >= next_origins {
                next_origins = now + ORIGINS_EVERY;
                monitor.look_at_origins();
            }
            told_before = told;
        }
    }
}

impl Monitor {
    /// Whether some policy has a name that was never resolved.
    #[must_use]
    pub fn has_unresolved_names(&self) -> bool {
        let state = self.lock();
        let wanted = state.policies.names();
        wanted.iter().any(|name| !state.names.resolved.contains_key(name))
    }

    fn each_second(&self, told: u64) {
        let mut overflows = Vec::new();
        let mut state = self.lock();
        state.rate.rotate_right(1);
        state.rate[0] = told;
        state.clock = Clock::now();
        // A process whose end was missed must not hold its session, or its number.
        for (pid, member) in state.kernel.maps.all_members() {
            if !is_of(pid, &member) {
                state.kernel.maps.remove_member(pid);
                state.processes.ended(pid, member.cookie);
            }
        }
        let live: Vec<u64> = state.sessions.live().map(|(key, _)| key).collect();
        for key in live {
            overflows.extend(state.overflow(key));
            state.read_counters(key);
            // A process whose end was lost with a full ring leaves no event; the kernel's own table knows.
            state.settle(key);
        }
        overflows.extend(state.end_due_grants());
        state.remove_emptied();
        state.catch_up_with_kernel();
        state.forget_old_cuts();
        state.loosen_decayed();
        self.figures().counted(state.sessions.iter());
        state.rest();
        let due = state.frozen_too_long();
        for (key, then) in due {
            let reason = "nobody decided in time";
            let kind = match then {
                AfterFreeze::Kill => Kind::SessionKill,
                AfterFreeze::Thaw => Kind::SessionThaw,
                AfterFreeze::Freeze => continue,
            };
            // Before the change: what froze it is part of what is told.
            overflows.extend(state.decided_on_session(kind, key, reason, None));
            let done = if then == AfterFreeze::Kill {
                state.kill(key, reason)
            } else {
                state.thaw(key)
            };
            if done.is_err() {
                state.trouble("session could not be ended after its freeze");
            }
        }
        let changed = if self.settings.automatic_reload {
            state.scopes.reload(false)
        } else {
            Vec::new()
        };
        if !changed.is_empty() {
            state.apply_scopes();
        }
        overflows.append(&mut state.answers);
        drop(state);
        self.record(overflows);
        self.save_cases();
        if !changed.is_empty() {
            self.files_changed();
        }
    }
}

impl crate::service::state::State {
    /// Takes the costly programs off once there was no session for a while: agents are often started in a row.
    fn rest(&mut self) {
        const WHILE_NS: u64 = 5_000_000_000;
        let now = Clock::boot_ns();
        if !self.kernel.maps.all_sessions().is_empty() {
            self.last_session = now;
        } else if now.saturating_sub(self.last_session) > WHILE_NS && self.kernel.watch(false).is_err() {
            self.trouble("programs that watch the host could not be taken off");
        }
    }

    fn frozen_too_long(&self) -> Vec<(u64, AfterFreeze)> {
        let now = Clock::boot_ns();
        let due = |(key, session): (u64, &crate::attribute::sessions::Session)| {
            let since = matches!(session.state, SessionState::Frozen(_)).then_some(session.frozen_at?)?;
            let freeze = &self.policies.get(session.policy)?.scope.freeze;
            let waited = Duration::from_nanos(now.saturating_sub(since));
            (waited >= freeze.timeout && freeze.then != AfterFreeze::Freeze).then_some((key, freeze.then))
        };
        self.sessions.live().filter_map(due).collect()
    }

    /// Puts changed scope files in force: for sessions that run, and for programs to be recognised.
    pub fn apply_scopes(&mut self) {
        let files = self.files.clone();
        let look = files.look();
        let policies: Vec<(u32, u32, String)> = self
            .policies
            .iter()
            .map(|(number, policy)| (number, policy.uid, policy.source.file.clone()))
            .collect();
        for (number, uid, file) in policies {
            let Some(loaded) = self
                .scopes
                .iter()
                .find(|loaded| loaded.source.file == file)
                .cloned()
            else {
                continue;
            };
            let put = self.policies.put(
                &mut self.kernel.maps,
                number,
                &loaded.scope,
                &loaded.source,
                uid,
                &self.names,
                &look,
            );
            if put.is_err() {
                self.trouble("changed scope could not be put in force");
            }
            self.renew_sessions(number);
        }
        let entries: Vec<_> = self
            .scopes
            .iter()
            .flat_map(|loaded| {
                homes()
                    .into_iter()
                    .flat_map(|home| loaded.scope.resolve(&home).matches)
            })
            .collect();
        if self
            .policies
            .set_matches(&mut self.kernel.maps, entries.iter(), &look)
            .is_err()
        {
            self.trouble("programs to recognise could not be put in force");
        }
    }

    /// Tells the kernel the generation of a policy that has changed, for each of its sessions.
    fn renew_sessions(&mut self, number: u32) {
        let Some(generation) = self
            .policies
            .get(number)
            .map(|policy| policy.compiled.policy.generation)
        else {
            return;
        };
        for (key, mut session) in self.kernel.maps.all_sessions() {
            if session.policy == number {
                session.generation = generation;
                if self.kernel.maps.set_session(key, session).is_err() {
                    self.trouble("session could not be told of its changed scope");
                }
            }
        }
    }
}

/// The homes of people on this host: `~` in a `[[match]]` can be any of them.
fn homes() -> Vec<std::path::PathBuf> {
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut homes: Vec<std::path::PathBuf> = list
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let uid: u32 = fields.nth(2)?.parse().ok()?;
            let home = fields.nth(2)?;
            ((uid == 0 || (1_000..60_000).contains(&uid)) && home.len() > 1).then(|| home.into())
        })
        .collect();
    homes.sort();
    homes.dedup();
    homes
}
