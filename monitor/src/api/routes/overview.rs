//! `GET /status`, `/agents`, `/scopes`.

use axum::Json;
use axum::extract::{ConnectInfo, State};

use crate::api::peer::Peer;
use crate::api::server::Shared;
use crate::api::types::{AgentInfo, ScopeInfo, SessionState, Status};

/// `GET /status`: anybody may read it. What is wrong inside a scope file is for those who may read all.
pub async fn status(State(shared): State<Shared>, ConnectInfo(peer): ConnectInfo<Peer>) -> Json<Status> {
    let mut status = shared.control.status();
    status.degraded.extend(shared.socket.problem());
    if !shared.policy.reads_all(&peer) {
        status.scopes.iter_mut().for_each(hide_error);
    }
    Json(status)
}

/// `GET /scopes`.
pub async fn scopes(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Json<Vec<ScopeInfo>> {
    let mut scopes = shared.control.scopes();
    if !shared.policy.reads_all(&peer) {
        scopes.iter_mut().for_each(hide_error);
    }
    Json(scopes)
}

/// An error shows lines of the file, which the caller may not be allowed to read.
fn hide_error(scope: &mut ScopeInfo) {
    if scope.error.is_some() {
        scope.error =
            Some("the file has errors; root, operators and the readers' group see them here".to_owned());
    }
}

/// `GET /agents`: all of them; the figures of those who may not read all are about their own sessions.
pub async fn agents(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Json<Vec<AgentInfo>> {
    let mut agents = shared.control.agents();
    if !shared.policy.reads_all(&peer) {
        let own: Vec<_> = shared
            .control
            .sessions()
            .into_iter()
            .filter(|session| session.owner.uid == peer.uid)
            .collect();
        for agent in &mut agents {
            let sessions = || own.iter().filter(|session| session.agent == agent.name);
            let running =
                || sessions().filter(|s| matches!(s.status, SessionState::Running | SessionState::Frozen(_)));
            agent.sessions = u64::try_from(running().count()).unwrap_or(u64::MAX);
            agent.owners.retain(|owner| owner.uid == peer.uid);
            agent.since = running().map(|session| session.since).min();
            agent.acts = sessions().map(|session| session.acts).sum();
            agent.cuts = sessions().map(|session| session.cuts).sum();
        }
    }
    Json(agents)
}
