//! `GET /export` and `POST /export/{name}/test`.

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};

use crate::api::failure::Failure;
use crate::api::peer::Peer;
use crate::api::permissions::{outside_any_session, refused};
use crate::api::server::Shared;
use crate::export::status::{ExporterStatus, TestDelivery};

/// `GET /export`: the exporters. Where events go is for those who may read all.
///
/// # Errors
/// 403.
pub async fn status(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Result<Json<Vec<ExporterStatus>>, Failure> {
    if shared.policy.reads_all(&peer) {
        Ok(Json(shared.control.exporters()))
    } else {
        let remedy = "root, operators and the readers' group may ask";
        Err(refused("where events go is not for everybody", remedy).into())
    }
}

/// `POST /export/{name}/test`: a marked test event, delivered now.
///
/// # Errors
/// 403, 404, 422 with what the destination said.
pub async fn test(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(name): Path<String>,
) -> Result<Json<TestDelivery>, Failure> {
    outside_any_session(&*shared.control, &peer)?;
    if !shared.policy.is_operator(&peer) {
        let remedy = "root and operators may";
        return Err(refused("a test event is not for everybody to send", remedy).into());
    }
    Ok(Json(shared.ask(move |control| control.test_export(&name)).await?))
}
