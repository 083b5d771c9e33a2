//! `GET /metrics`: on the socket for those who read everything, and on a loopback address where the settings ask for it.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::api::{control::Control, failure::Failure, peer::Peer, permissions::refused, server::Shared};

/// What the text is.
const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics` on the socket.
///
/// # Errors
/// 403 for those who may not read everything: the labels name agents and rules.
pub async fn get_one(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Result<Response, Failure> {
    if !shared.policy.reads_all(&peer) {
        let why = "the metrics name everybody's agents and rules";
        return Err(refused(
            why,
            "root, operators and members of the readers' group may read them",
        )
        .into());
    }
    let text = shared.ask(|control| Ok(control.metrics())).await?;
    Ok(([(CONTENT_TYPE, TYPE)], text).into_response())
}

/// Serves `GET /metrics` and nothing else on `address`, for as long as the task lives.
///
/// # Errors
/// Where the address cannot be bound.
pub async fn serve(address: SocketAddr, control: Arc<dyn Control>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    let answer = async |State(control): State<Arc<dyn Control>>| {
        let text = tokio::task::spawn_blocking(move || control.metrics()).await;
        ([(CONTENT_TYPE, TYPE)], text.unwrap_or_default())
    };
    let router = Router::new().route("/metrics", get(answer)).with_state(control);
    axum::serve(listener, router).await
}
