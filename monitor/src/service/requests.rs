//! What callers ask to be changed: a session begins, is stopped, goes on, ends.

use crate::{
    api::{
        control::ControlError,
        peer::Peer,
        types::{EnrolRequest, Enrolled, ScopeChoice, SessionInfo},
    },
    attribute::sessions::Session,
    observe::maps::MapsError,
    pipeline::Monitor,
    scope::words::{Kind, Mode},
    service::{
        control::not_found,
        enrol::Enrolment,
        fanotify,
        scopes::{self, Loaded},
        state::State,
    },
};

impl Monitor {
    /// Enrols a process for the user `uid`.
    ///
    /// # Errors
    /// [`ControlError`]; the process is in no session then.
    pub fn enrol_for(&self, request: &EnrolRequest, uid: u32) -> Result<Enrolled, ControlError> {
        let loaded = self.chosen(&request.scope)?;
        let own = matches!(request.scope, ScopeChoice::Inline { .. }) || loaded.source.file.starts_with('@');
        if request.mode == Some(Mode::Observe) && loaded.scope.mode == Mode::Enforce && !own && uid != 0 {
            return Err(ControlError::Refused {
                why: format!(
                    "the scope {} is set to enforce by this host's operator",
                    loaded.scope.name
                ),
                remedy: "leave --mode out, or name a scope file of your own".to_owned(),
            });
        }
        let asked = Enrolment {
            pid: request.pid,
            uid,
            loaded: &loaded,
            mode: request.mode,
            running: false,
        };
        let key = self.lock().enrol(&asked)?;
        // Before anything of it can change that.
        self.look_at_origins();
        self.note(key);
        // Before the caller lets its process go: names are resolved, and what is guarded is marked.
        if self.resolve_names() {
            self.lock().recompile();
        }
        fanotify::mark(self);
        let state = self.lock();
        let session = state
            .sessions
            .get(key)
            .ok_or_else(|| not_found("session", &key.to_string()))?;
        Ok(Enrolled {
            session: session.facts.id.clone(),
            scope: loaded.scope.name.clone(),
            mode: session.mode,
            warnings: Vec::new(),
        })
    }

    fn chosen(&self, choice: &ScopeChoice) -> Result<Loaded, ControlError> {
        Ok(match choice {
            ScopeChoice::Named(name) => scopes::named(&self.lock().scopes, name)?,
            ScopeChoice::Inline {
                text,
                file,
                fragments,
            } => scopes::inline(file, text, fragments)?,
            ScopeChoice::Matching => scopes::named(&self.lock().scopes, "coding-agent")?,
        })
    }

    /// Does what somebody decided about a session that runs, and tells of it.
    ///
    /// # Errors
    /// [`ControlError`]; nothing has changed then.
    pub(super) fn change(
        &self,
        session: &str,
        (kind, reason, peer): (Kind, &str, &Peer),
        change: impl FnOnce(&mut State, u64) -> Result<(), MapsError>,
    ) -> Result<SessionInfo, ControlError> {
        let mut state = self.lock();
        let key = state
            .sessions
            .key(session)
            .ok_or_else(|| not_found("session", session))?;
        let live = state.sessions.get(key).is_some_and(Session::is_live);
        if !live {
            return Err(ControlError::Invalid {
                why: format!("session {session} has ended"),
                remedy: "`scopeward sessions` lists those that run".to_owned(),
            });
        }
        // Before the change: what froze it is part of what is told.
        let told = state.decided_on_session(kind, key, reason, Some(peer));
        change(&mut state, key).map_err(|error| ControlError::Internal(format!("failed to {error}")))?;
        let known = state
            .sessions
            .get(key)
            .ok_or_else(|| not_found("session", session))?;
        let info = state.session_info(key, known);
        drop(state);
        self.record(told.into_iter().collect());
        Ok(info)
    }
}
