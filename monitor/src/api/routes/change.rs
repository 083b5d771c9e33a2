//! `POST /sessions` and `POST /sessions/{id}/{freeze,thaw,kill}`: everything that changes something.

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;

use crate::api::control::ControlError;
use crate::api::failure::{Body, Failure};
use crate::api::peer::Peer;
use crate::api::permissions::{Change, outside_any_session, refused};
use crate::api::server::Shared;
use crate::api::types::{ChangeRequest, EnrolRequest, Enrolled, Reloaded, SessionInfo};

/// Most characters of a reason.
const MOST_REASON: usize = 1_000;

/// `POST /sessions`: anybody may have a process of their own held to a scope.
///
/// # Errors
/// 403 from inside a session, or for somebody else's process; what the pipeline says.
pub async fn enrol(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(request): Body<EnrolRequest>,
) -> Result<(StatusCode, Json<Enrolled>), Failure> {
    outside_any_session(&*shared.control, &peer)?;
    own_process(&peer, request.pid)?;
    let enrolled = shared.ask(move |control| control.enrol(&request, &peer)).await?;
    Ok((StatusCode::CREATED, Json(enrolled)))
}

/// Whether process `pid` belongs to `peer`: all its user ids are the caller's, so that no set-user-id program is
/// held by somebody who only started it.
fn own_process(peer: &Peer, pid: u32) -> Result<(), ControlError> {
    let process = i32::try_from(pid).ok().filter(|pid| *pid > 0);
    let status = process.and_then(|pid| procfs::process::Process::new(pid).ok()?.status().ok());
    let status = status.ok_or_else(|| ControlError::Invalid {
        why: format!("there is no process {pid}"),
        remedy: "give the id of a running process, as the host sees it".to_owned(),
    })?;
    let own = [status.ruid, status.euid, status.suid] == [peer.uid; 3];
    if own || peer.uid == 0 {
        Ok(())
    } else {
        let why = format!(
            "process {pid} does not run as the user who asks (uid {})",
            peer.uid
        );
        Err(refused(why, "enrol processes of your own; root may enrol any"))
    }
}

/// `POST /reload`: root and operators may have the scope files read again. What the answer says is wrong shows lines of
/// the files.
///
/// # Errors
/// 403.
pub async fn reload(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Result<Json<Reloaded>, Failure> {
    outside_any_session(&*shared.control, &peer)?;
    if !shared.policy.is_operator(&peer) {
        let why = "only root and operators may have the scope files read again";
        return Err(refused(why, "ask one of them, or use sudo").into());
    }
    Ok(Json(shared.ask(|control| Ok(control.reload())).await?))
}

/// `POST /sessions/{id}/freeze`.
///
/// # Errors
/// 403, 404, or what the pipeline says.
pub async fn freeze(
    state: State<Shared>,
    peer: ConnectInfo<Peer>,
    id: Path<String>,
    body: Body<ChangeRequest>,
) -> Result<Json<SessionInfo>, Failure> {
    change(state, peer, id, body, Change::Freeze).await
}

/// `POST /sessions/{id}/thaw`.
///
/// # Errors
/// 403, 404, or what the pipeline says.
pub async fn thaw(
    state: State<Shared>,
    peer: ConnectInfo<Peer>,
    id: Path<String>,
    body: Body<ChangeRequest>,
) -> Result<Json<SessionInfo>, Failure> {
    change(state, peer, id, body, Change::Thaw).await
}

/// `POST /sessions/{id}/kill`.
///
/// # Errors
/// 403, 404, or what the pipeline says.
pub async fn kill(
    state: State<Shared>,
    peer: ConnectInfo<Peer>,
    id: Path<String>,
    body: Body<ChangeRequest>,
) -> Result<Json<SessionInfo>, Failure> {
    change(state, peer, id, body, Change::Kill).await
}

async fn change(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    Body(ChangeRequest { reason }): Body<ChangeRequest>,
    change: Change,
) -> Result<Json<SessionInfo>, Failure> {
    outside_any_session(&*shared.control, &peer)?;
    let session = shared.control.session(&id)?;
    shared.policy.may_change(&peer, change, &session.owner)?;
    if reason.trim().is_empty() || reason.chars().count() > MOST_REASON {
        let remedy = format!("say why in at most {MOST_REASON} characters; it is recorded");
        return Err(Failure::malformed(
            format!("the reason for {} is missing or too long", change.word()),
            remedy,
        ));
    }
    let done = shared.ask(move |control| match change {
        Change::Freeze => control.freeze(&id, &reason, &peer),
        Change::Thaw => control.thaw(&id, &reason, &peer),
        Change::Kill => control.kill(&id, &reason, &peer),
        Change::Enrol => Err(ControlError::Internal("enrolment is another route".to_owned())),
    });
    Ok(Json(done.await?))
}
