//! A session that the daemon holds.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use nix::unistd::Pid;
use tokio::runtime::{Builder, Runtime};

use super::{
    follow,
    holder::{Enrolment, HoldError, Holder, Remaining},
    telling::Telling,
};
use crate::{
    api::{
        client::{Client, ClientError},
        question::encode,
        report::Report,
        types::{EnrolRequest, Enrolled, ScopeChoice, ScopeInfo, SessionInfo, SessionState},
    },
    scope::words::Mode,
};

/// After the session's end is known, events that are still on their way come within this time of each other.
const QUIET: Duration = Duration::from_millis(60);

/// How often it is asked whether the session has ended.
const ASK: Duration = Duration::from_millis(15);

/// How long one answer may take where the person waits for it.
const ANSWER: Duration = Duration::from_millis(500);

/// Asks the daemon to hold the session.
pub(super) struct ThroughDaemon {
    runtime: Runtime,
    client: Client,
    session: String,
    telling: Option<Arc<Mutex<Telling>>>,
}

impl ThroughDaemon {
    /// The daemon that `client` asks. Starts a thread.
    ///
    /// # Errors
    /// [`HoldError::Failed`] where there is no room for a thread.
    pub(super) fn new(client: Client) -> Result<Self, HoldError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| HoldError::Failed(format!("start a thread: {error}")))?;
        Ok(Self {
            runtime,
            client,
            session: String::new(),
            telling: None,
        })
    }

    fn session(&self) -> Option<SessionInfo> {
        let target = format!("/v1/sessions/{}", encode(&self.session));
        let answer = async { tokio::time::timeout(ANSWER, self.client.get(&target)).await };
        self.runtime.block_on(answer).ok()?.ok()
    }

    /// Whether `scope` comes with Scopeward: no file of the daemon's has its name.
    fn is_built_in(&self, choice: &ScopeChoice, scope: &str) -> bool {
        let ScopeChoice::Named(_) = choice else {
            return false;
        };
        let scopes: Result<Vec<ScopeInfo>, ClientError> =
            self.runtime.block_on(self.client.get("/v1/scopes"));
        let has_file = |known: &ScopeInfo| known.name == scope && known.file.is_some();
        crate::scope::builtin::lookup(scope).is_some() && scopes.is_ok_and(|all| !all.iter().any(has_file))
    }

    fn quiet(&self) -> Duration {
        let quiet =
            |telling: &Arc<Mutex<Telling>>| telling.lock().unwrap_or_else(PoisonError::into_inner).quiet();
        self.telling.as_ref().map_or(Duration::MAX, quiet)
    }

    fn has(&self, remaining: Remaining) -> bool {
        self.telling.as_ref().is_none_or(|telling| {
            telling
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .has(remaining)
        })
    }
}

impl Holder for ThroughDaemon {
    fn enrol(&mut self, pid: Pid, scope: &ScopeChoice, mode: Option<Mode>) -> Result<Enrolment, HoldError> {
        let request = EnrolRequest {
            pid: pid.as_raw().unsigned_abs(),
            scope: scope.clone(),
            mode,
        };
        let Enrolled {
            session,
            scope: name,
            mode,
            warnings,
        } = self
            .runtime
            .block_on(self.client.post("/v1/sessions", &request))?;
        self.session.clone_from(&session);
        let built_in = self.is_built_in(scope, &name);
        Ok(Enrolment {
            session,
            scope: name,
            built_in,
            mode,
            warnings,
        })
    }

    fn follow(&mut self, telling: Arc<Mutex<Telling>>) -> Result<(), HoldError> {
        let all = telling.lock().unwrap_or_else(PoisonError::into_inner).wants_all();
        let stream = self
            .runtime
            .block_on(follow::begin(&self.client, &self.session, all))?;
        let (client, session) = (self.client.clone(), self.session.clone());
        self.runtime
            .spawn(follow::hand_over(client, session, stream, Arc::clone(&telling)));
        self.telling = Some(telling);
        Ok(())
    }

    fn frozen(&mut self) -> Option<bool> {
        let session = self.session()?;
        Some(matches!(session.status, SessionState::Frozen(_)))
    }

    fn finish(&mut self, remaining: Remaining, patience: Duration) -> Option<String> {
        let begun = Instant::now();
        loop {
            if self.has(remaining) {
                return None;
            }
            // A daemon that is away tells nothing more in so short a time.
            let (ended, why) = match self.session()?.status {
                SessionState::Killed(why) => (true, Some(why)),
                SessionState::Ended => (true, None),
                SessionState::Running | SessionState::Frozen(_) => (false, None),
            };
            if (ended && self.quiet() >= QUIET) || begun.elapsed() >= patience {
                return why;
            }
            std::thread::sleep(ASK);
        }
    }

    fn report(&mut self) -> Result<Report, HoldError> {
        let target = format!("/v1/sessions/{}/report", encode(&self.session));
        Ok(self.runtime.block_on(self.client.get(&target))?)
    }
}

impl Drop for ThroughDaemon {
    fn drop(&mut self) {
        // The stream has no end of its own.
        let runtime = Builder::new_current_thread().build();
        if let Ok(runtime) = runtime {
            std::mem::replace(&mut self.runtime, runtime).shutdown_background();
        }
    }
}
