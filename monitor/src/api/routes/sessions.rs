//! `GET /sessions` and what is below it.

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};

use crate::api::control::ControlError;
use crate::api::failure::Failure;
use crate::api::peer::Peer;
use crate::api::permissions::refused;
use crate::api::server::Shared;
use crate::api::types::{Reason, SessionInfo, Tree};

/// `GET /sessions`: those that the caller may read.
pub async fn list(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Json<Vec<SessionInfo>> {
    let mut sessions = shared.control.sessions();
    sessions.retain(|session| shared.policy.reads(&peer, &session.owner));
    Json(sessions)
}

/// `GET /sessions/{id}`.
///
/// # Errors
/// 404, or 403 where it is somebody else's.
pub async fn one(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
) -> Result<Json<SessionInfo>, Failure> {
    Ok(Json(readable(&shared, &peer, &id)?))
}

/// `GET /sessions/{id}/tree`.
///
/// # Errors
/// 404, or 403 where it is somebody else's.
pub async fn tree(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
) -> Result<Json<Tree>, Failure> {
    let session = readable(&shared, &peer, &id)?;
    Ok(Json(shared.ask(move |control| control.tree(&session.id)).await?))
}

/// `GET /self/why`: for a process inside a session, whatever its user, about that session alone.
///
/// # Errors
/// 403 from outside any session, 404 where nothing was answered yet.
pub async fn own_why(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Result<Json<Reason>, Failure> {
    let session = shared.control.session_of(peer.pid).filter(|_| peer.is_alive());
    let Some(session) = session else {
        let remedy = "scopeward why EVENT asks about an event from outside";
        return Err(refused("the caller is in no agent session", remedy).into());
    };
    Ok(Json(shared.control.last_reason(&session)?))
}

/// The session `id`, where `peer` may read it.
fn readable(shared: &Shared, peer: &Peer, id: &str) -> Result<SessionInfo, ControlError> {
    let session = shared.control.session(id)?;
    if shared.policy.reads(peer, &session.owner) {
        Ok(session)
    } else {
        let remedy = "its owner, root, operators and the readers' group may read it";
        Err(refused(format!("session {id} belongs to somebody else"), remedy))
    }
}
