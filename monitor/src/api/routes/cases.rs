//! `GET /incidents`, `GET /sessions/{id}/report`, `GET` and `POST /rotations`.

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};

use crate::api::control::ControlError;
use crate::api::failure::{Body, Failure};
use crate::api::peer::Peer;
use crate::api::permissions::{outside_any_session, refused};
use crate::api::report::Report;
use crate::api::server::Shared;
use crate::api::types::{Incident, RotateRequest, Rotation};

/// Most characters of a note.
const MOST_NOTE: usize = 1_000;

/// `GET /sessions/{id}/report`: also of a session that the store alone remembers.
///
/// # Errors
/// 404, or 403 where it is somebody else's.
pub async fn report(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
) -> Result<Json<Report>, Failure> {
    let report = shared.ask(move |control| control.report(&id)).await?;
    if !shared.policy.reads(&peer, &report.owner) {
        let remedy = "its owner, root, operators and the readers' group may read it";
        return Err(refused(format!("session {} belongs to somebody else", report.id), remedy).into());
    }
    Ok(Json(report))
}

/// `GET /incidents`: those that the caller may read, the oldest first.
///
/// # Errors
/// Where the daemon failed.
pub async fn incidents(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Result<Json<Vec<Incident>>, Failure> {
    let mut incidents = shared.ask(|control| Ok(control.incidents())).await?;
    incidents.retain(|incident| shared.policy.reads_all(&peer) || incident.uid == peer.uid);
    Ok(Json(incidents))
}

/// `GET /rotations`: those that the caller may read, the oldest first.
///
/// # Errors
/// Where the daemon failed.
pub async fn rotations(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Result<Json<Vec<Rotation>>, Failure> {
    let mut rotations = shared.ask(|control| Ok(control.rotations())).await?;
    rotations.retain(|entry| shared.policy.reads_all(&peer) || entry.uid == peer.uid);
    Ok(Json(rotations))
}

/// `POST /rotations`: marks one as replaced. Its owner may, root and operators; nobody from inside a session.
///
/// # Errors
/// 403, 404, 422 where the name is not unique, 400 without a note.
pub async fn rotate(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(RotateRequest { credential, note }): Body<RotateRequest>,
) -> Result<Json<Rotation>, Failure> {
    outside_any_session(&*shared.control, &peer)?;
    if note.trim().is_empty() || note.chars().count() > MOST_NOTE {
        return Err(Failure::malformed(
            "the note about the rotation is missing or too long",
            format!("say in at most {MOST_NOTE} characters how it was replaced; it is recorded"),
        ));
    }
    let operator = shared.policy.is_operator(&peer);
    let rotated = shared.ask(move |control| {
        let mut named = control.rotations();
        named.retain(|entry| entry.id == credential || entry.path == credential);
        let own = named.iter().any(|entry| entry.uid == peer.uid);
        if !operator && !own {
            return Err(refuse(&credential));
        }
        // Of several with the same file, one's own is meant.
        let mut open = named.iter().filter(|entry| entry.rotated.is_none());
        let name = open
            .find(|entry| entry.uid == peer.uid)
            .map_or(credential.clone(), |entry| entry.id.clone());
        if !operator && name == credential && named.iter().any(|entry| entry.uid != peer.uid) {
            return Err(refuse(&credential));
        }
        control.rotate(&name, &note, &peer)
    });
    Ok(Json(rotated.await?))
}

fn refuse(credential: &str) -> ControlError {
    refused(
        format!("no credential of yours called {credential:?} waits to be rotated"),
        "its owner, root and operators may mark it; `scopeward rotate` lists them",
    )
}
