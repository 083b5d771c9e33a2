//! A session that this process holds itself: root, and no daemon. The programs are in the kernel for the length of the
//! run.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use nix::unistd::Pid;
use tokio::sync::broadcast::error::RecvError;

use super::{
    holder::{Enrolment, HoldError, Holder, Remaining},
    telling::Telling,
};
use crate::{
    api::{
        control::{Control as _, ControlError},
        report::Report,
        types::{EnrolRequest, ScopeChoice, SessionState},
    },
    cli::{doctor::why_not, exit::Exit},
    observe::load::Sizes,
    pipeline::Monitor,
    scope::words::Mode,
    service::settings::Settings,
};

/// Events that are still on their way come within this time of each other.
const QUIET: Duration = Duration::from_millis(60);
/// How often it is looked whether the session has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Holds the session by itself.
pub(super) struct InProcess {
    monitor: Arc<Monitor>,
    session: String,
    telling: Option<Arc<Mutex<Telling>>>,
    reader: Option<JoinHandle<()>>,
}

impl InProcess {
    /// Loads the programs. `run` is a directory for private mounts, `scopes` where scopes are found by name.
    ///
    /// # Errors
    /// [`HoldError::Unsupported`] or [`HoldError::Privileges`].
    pub(super) fn new(run: PathBuf, scopes: PathBuf) -> Result<Self, HoldError> {
        let settings = Settings {
            run,
            scopes,
            pins: None,
            notes: None,
            evidence: None,
            cases: None,
            own: Vec::new(),
            sizes: Sizes::default(),
            automatic_reload: true,
        };
        let (monitor, ring) = Monitor::load(settings, None).map_err(|error| {
            let (why, exit) = why_not(&error);
            let remedy = String::new();
            match exit {
                Exit::Privileges => HoldError::Privileges { why, remedy },
                _ => HoldError::Unsupported { why, remedy },
            }
        })?;
        monitor.begin(ring);
        monitor.lock().scopes.reload(true);
        Ok(Self {
            monitor,
            session: String::new(),
            telling: None,
            reader: None,
        })
    }

    fn state(&self) -> Option<SessionState> {
        Some(self.monitor.session(&self.session).ok()?.status)
    }
}

impl Holder for InProcess {
    fn enrol(&mut self, pid: Pid, scope: &ScopeChoice, mode: Option<Mode>) -> Result<Enrolment, HoldError> {
        let pid = pid.as_raw().unsigned_abs();
        let request = EnrolRequest {
            pid,
            scope: scope.clone(),
            mode,
        };
        // Whoever the command runs as: under sudo the calling user.
        let uid = crate::attribute::recognise::effective_uid(pid).unwrap_or(0);
        let enrolled = self
            .monitor
            .enrol_for(&request, uid)
            .map_err(|error| match error {
                ControlError::Invalid { why, remedy } => HoldError::Scope { why, remedy },
                other => HoldError::Failed(other.to_string()),
            })?;
        self.session.clone_from(&enrolled.session);
        let built_in = matches!(scope, ScopeChoice::Named(_))
            && self.monitor.lock().scopes.get(&enrolled.scope).is_none();
        Ok(Enrolment {
            session: enrolled.session,
            scope: enrolled.scope,
            built_in,
            mode: enrolled.mode,
            warnings: enrolled.warnings,
        })
    }

    fn follow(&mut self, telling: Arc<Mutex<Telling>>) -> Result<(), HoldError> {
        let mut events = self.monitor.subscribe();
        let (session, told) = (self.session.clone(), Arc::clone(&telling));
        let body = move || {
            loop {
                match events.blocking_recv() {
                    Ok(event) if event.session.id == session => {
                        told.lock().unwrap_or_else(PoisonError::into_inner).event(&event);
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(missed)) => {
                        let line = format!("{missed} events came faster than they could be written");
                        told.lock().unwrap_or_else(PoisonError::into_inner).say(&line);
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("events".to_owned()).spawn(body);
        let thread = thread.map_err(|error| HoldError::Failed(format!("start a thread: {error}")))?;
        self.reader = Some(thread);
        self.telling = Some(telling);
        Ok(())
    }

    fn frozen(&mut self) -> Option<bool> {
        Some(matches!(self.state(), Some(SessionState::Frozen(_))))
    }

    fn finish(&mut self, remaining: Remaining, patience: Duration) -> Option<String> {
        let begun = Instant::now();
        loop {
            let telling = self
                .telling
                .as_ref()?
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let (told, quiet) = (telling.has(remaining), telling.quiet());
            drop(telling);
            if told {
                return None;
            }
            let (ended, why) = match self.state()? {
                SessionState::Killed(why) => (true, Some(why)),
                SessionState::Ended => (true, None),
                SessionState::Running | SessionState::Frozen(_) => (false, None),
            };
            if (ended && quiet >= QUIET) || begun.elapsed() >= patience {
                return why;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn report(&mut self) -> Result<Report, HoldError> {
        self.monitor
            .report_of(&self.session)
            .map_err(|error| HoldError::Failed(error.to_string()))
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        // Whatever of the session outlives its command would run free.
        let mut state = self.monitor.lock();
        let ended = state
            .sessions
            .key(&self.session)
            .map(|key| state.kill(key, "the command that held it has ended"));
        drop(state);
        if ended.is_some_and(|ended| ended.is_err()) {
            tracing::warn!("the rest of the session could not be ended");
        }
        self.monitor.end(false);
        // Its reader ends with the channel, or with this process.
        self.reader = None;
    }
}
