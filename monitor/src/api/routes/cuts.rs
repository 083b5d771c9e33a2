//! `GET /cuts`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use serde::Deserialize;

use crate::api::failure::Failure;
use crate::api::peer::Peer;
use crate::api::permissions::refused;
use crate::api::server::Shared;
use crate::api::types::{CutsBy, Tally};

/// The query string.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// By what.
    #[serde(default)]
    by: CutsBy,
}

/// `GET /cuts?by=session`: how the cuts add up. Those who may not read all see their own sessions and account.
///
/// # Errors
/// 400 where the question cannot be read; 403 for an agent's or the host's account, which hold what others' sessions
/// did.
pub async fn list(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Vec<Tally>>, Failure> {
    let Query(Asked { by }) = query.map_err(|rejection| {
        Failure::malformed(rejection.body_text(), "by is session, agent, owner, host or rule")
    })?;
    let only = (!shared.policy.reads_all(&peer)).then_some(peer.uid);
    if only.is_some() && matches!(by, CutsBy::Agent | CutsBy::Host) {
        let remedy = "--by session, owner and rule show what is yours";
        return Err(refused(
            format!("the cuts by {} hold what others' sessions did", by.word()),
            remedy,
        )
        .into());
    }
    Ok(Json(shared.ask(move |control| Ok(control.cuts(by, only))).await?))
}
