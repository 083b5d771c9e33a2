//! `/grants` and `/pending`: what waits for a person, and what people approved.

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;

use crate::api::control::ControlError;
use crate::api::failure::{Body, Failure};
use crate::api::peer::Peer;
use crate::api::permissions::outside_any_session;
use crate::api::server::Shared;
use crate::api::types::{ChangeRequest, GRANT_MOST_SECONDS, Grant, GrantRequest, Pending};

/// Most characters of a reason.
const MOST_REASON: usize = 1_000;

/// `POST /grants`: root and operators, and nobody from inside a session.
///
/// # Errors
/// 403, 404, or what the pipeline says.
pub async fn give(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(request): Body<GrantRequest>,
) -> Result<(StatusCode, Json<Grant>), Failure> {
    outside_any_session(&*shared.control, &peer)?;
    shared.policy.may_approve(&peer)?;
    reason_fits(request.reason.as_deref().unwrap_or_default())?;
    if request.seconds == 0 || request.seconds > GRANT_MOST_SECONDS {
        return Err(ControlError::Invalid {
            why: format!("a grant of {} seconds is not given", request.seconds),
            remedy: "from 1 second to 24 hours; what is to hold for longer belongs into the scope".to_owned(),
        }
        .into());
    }
    let grant = shared.ask(move |control| control.grant(&request, &peer)).await?;
    Ok((StatusCode::CREATED, Json(grant)))
}

/// `GET /grants`: those for sessions that the caller may read.
pub async fn list(State(shared): State<Shared>, ConnectInfo(peer): ConnectInfo<Peer>) -> Json<Vec<Grant>> {
    let mut grants = shared.control.grants();
    if !shared.policy.reads_all(&peer) {
        let own: Vec<String> = shared
            .control
            .sessions()
            .into_iter()
            .filter(|session| shared.policy.reads(&peer, &session.owner))
            .map(|session| session.id)
            .collect();
        grants.retain(|grant| own.contains(&grant.session));
    }
    Json(grants)
}

/// `POST /grants/{id}/revoke`.
///
/// # Errors
/// 403, 404, or what the pipeline says.
pub async fn revoke(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    Body(ChangeRequest { reason }): Body<ChangeRequest>,
) -> Result<Json<Grant>, Failure> {
    outside_any_session(&*shared.control, &peer)?;
    shared.policy.may_approve(&peer)?;
    reason_fits(&reason)?;
    Ok(Json(
        shared
            .ask(move |control| control.revoke(&id, &reason, &peer))
            .await?,
    ))
}

/// `GET /pending`: frozen sessions that the caller may read.
pub async fn pending(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Json<Vec<Pending>> {
    let mut pending = shared.control.pending();
    pending.retain(|one| shared.policy.reads(&peer, &one.owner));
    Json(pending)
}

fn reason_fits(reason: &str) -> Result<(), Failure> {
    if reason.chars().count() > MOST_REASON {
        let remedy = format!("say why in at most {MOST_REASON} characters; it is recorded");
        return Err(Failure::malformed("the reason is too long", remedy));
    }
    Ok(())
}
