//! Starting the fanotify tier, and keeping its marks to what the sessions that run are guarded from.

use std::{path::PathBuf, sync::Arc};

use crate::{
    observe::fanotify::{Fanotify, FanotifyState, Guarded, NameGlob, Settings},
    pipeline::Monitor,
    scope::{pattern::PathPattern, words::Response},
    service::{arbiter::Doorkeeper, state::State},
};

/// Starts the tier. Where this host does not give it, `status` says so and the tracepoints are left.
pub fn start(monitor: &Arc<Monitor>) {
    let keeper = Arc::new(Doorkeeper(Arc::clone(monitor)));
    match Fanotify::start(Settings::default(), keeper.clone(), keeper) {
        Ok(tier) => *monitor.fanotify() = Some(tier),
        Err(error) => {
            let sentence = format!(
                "fanotify is not available (failed to {error}): guarded files are answered by killing the reader at the \
                 exit of its system call, and another thread could be faster"
            );
            monitor.lock().set_degraded("fanotify", Some(sentence));
        }
    }
}

/// Compiles again what the disk has changed, and marks what the sessions that run are guarded from.
pub fn refresh(monitor: &Monitor) {
    monitor.lock().recompile();
    mark(monitor);
}

/// Marks what the sessions that run are guarded from. Returns once it is marked. Must not be called with the state's
/// lock held: fanotify's own threads need it.
pub fn mark(monitor: &Monitor) {
    let watchdog = monitor
        .fanotify()
        .as_ref()
        .and_then(Fanotify::watchdog)
        .map(i32::unsigned_abs);
    let own: Vec<u32> = std::iter::once(std::process::id()).chain(watchdog).collect();
    let mut state = monitor.lock();
    if state.kernel.maps.set_protected(&own).is_err() {
        state.trouble("monitor's own processes could not be protected");
    }
    let guarded = state.guarded();
    drop(state);
    let fanotify = monitor.fanotify();
    let Some(tier) = fanotify.as_ref() else { return };
    let said = match tier.set(&guarded) {
        Err(error) => Some(format!("fanotify marks may be missing: failed to {error}")),
        Ok(coverage) if coverage.over_limit + coverage.refused > 0 => Some(format!(
            "{} guarded files have no fanotify mark ({} over the limit): their readers are killed instead of refused",
            coverage.over_limit + coverage.refused,
            coverage.over_limit
        )),
        Ok(_) => match tier.state() {
            FanotifyState::Released { reason, .. } | FanotifyState::Unavailable { reason } => {
                Some(format!("fanotify has let go: {reason}"))
            }
            FanotifyState::Idle | FanotifyState::Active { .. } => None,
        },
    };
    drop(fanotify);
    monitor.lock().set_degraded("fanotify", said);
}

impl State {
    /// Compiles the policies of running sessions again: names and files may have changed.
    pub fn recompile(&mut self) {
        let live: std::collections::BTreeSet<u32> =
            self.sessions.live().map(|(_, session)| session.policy).collect();
        let files = self.files.clone();
        let look = files.look();
        for number in live {
            if self
                .policies
                .refresh(&mut self.kernel.maps, number, &self.names, &look)
                .is_err()
            {
                self.trouble("policy could not be compiled again");
            }
        }
    }

    /// What fanotify is to mark: what some session that runs is guarded from. Where a rule only flags, single names are
    /// marked, because changes to them are told of through their marks; not whole trees, whose every open would wait.
    fn guarded(&self) -> Guarded {
        let mut guarded = Guarded::default();
        let numbers: std::collections::BTreeSet<u32> =
            self.sessions.live().map(|(_, session)| session.policy).collect();
        for policy in numbers.iter().filter_map(|number| self.policies.get(*number)) {
            let files = policy.compiled.guards.iter().filter(|(pattern, response)| {
                *response >= Response::Deny || !matches!(pattern, PathPattern::Tree(_))
            });
            for (pattern, _) in files {
                add(&mut guarded, pattern, &[]);
            }
            // Where a security hook refuses programs, fanotify's answer would only come before it.
            let programs = self
                .kernel
                .denies()
                .is_none()
                .then_some(&policy.compiled.guarded_programs);
            for pattern in programs.into_iter().flatten() {
                add(&mut guarded, pattern, &program_directories());
            }
        }
        guarded.exact.sort();
        guarded.exact.dedup();
        guarded.trees.sort();
        guarded.trees.dedup();
        guarded
    }
}

/// Directories in which programs are looked for by name.
fn program_directories() -> Vec<PathBuf> {
    let usual = [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ];
    usual
        .iter()
        .filter_map(|dir| std::fs::canonicalize(dir).ok())
        .collect()
}

fn add(guarded: &mut Guarded, pattern: &PathPattern, program_dirs: &[PathBuf]) {
    let bytes = |text: &str| text.as_bytes().to_vec();
    match pattern {
        PathPattern::Exact(path) => guarded.exact.push(PathBuf::from(path)),
        PathPattern::Tree(path) => guarded.trees.push(PathBuf::from(path)),
        PathPattern::UnderDir {
            dir,
            depth: Some(1),
            name,
            ..
        } => {
            if name.is_exact() {
                guarded.exact.push(PathBuf::from(dir).join(name.prefix()));
            } else {
                let glob = NameGlob {
                    prefix: bytes(name.prefix()),
                    suffix: bytes(name.suffix()),
                };
                guarded.names_in_dirs.push((PathBuf::from(dir), glob));
            }
        }
        PathPattern::Anywhere { parent: None, name } => {
            // A program refused by name wherever it is: those where programs are looked for.
            for dir in program_dirs {
                if name.is_exact() {
                    guarded.exact.push(dir.join(name.prefix()));
                } else {
                    let glob = NameGlob {
                        prefix: bytes(name.prefix()),
                        suffix: bytes(name.suffix()),
                    };
                    guarded.names_in_dirs.push((dir.clone(), glob));
                }
            }
        }
        // Names at other depths, or anywhere: no mark can stand for them without a mark on everything.
        _ => {}
    }
}
