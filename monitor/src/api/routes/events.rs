//! `GET /events` and what is below it.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Path, Query, State};
use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::api::control::ControlError;
use crate::api::failure::Failure;
use crate::api::follow::Follower;
use crate::api::lines::{Lines, lines};
use crate::api::peer::Peer;
use crate::api::permissions::refused;
use crate::api::question::Question;
use crate::api::server::Shared;
use crate::api::types::Why;
use crate::record::event::EventRecord;

/// `GET /events`: NDJSON, one record a line; with `follow=true` it does not end. Those who may not read all get
/// the events of their own sessions.
///
/// # Errors
/// 400 where the question cannot be read. An error later on is the last line, in the shape of all errors.
pub async fn list(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Lines, Failure> {
    let Query(pairs) = query.map_err(|rejection| {
        Failure::malformed(
            rejection.body_text(),
            "percent-encode what is not a letter or digit",
        )
    })?;
    let question = Question::read(&pairs, Timestamp::now())
        .map_err(|error| Failure::malformed(error.error, error.remedy))?;
    let mut filter = question.filter;
    if !shared.policy.reads_all(&peer) {
        filter.owner_uid = Some(peer.uid);
    }
    let (mut sender, body) = lines();
    if question.follow {
        let live = shared.control.subscribe();
        let follower = Follower::new(filter, sender);
        tokio::spawn(follower.run(Arc::clone(&shared.control), live, shared.shutdown.clone()));
        return Ok(body);
    }
    // Readers who are slow on purpose keep only each other waiting.
    let room = if shared.policy.is_operator(&peer) {
        None
    } else {
        let room = Arc::clone(&shared.readings).acquire_owned().await;
        Some(room.map_err(|_| ControlError::Internal("the API ends".to_owned()))?)
    };
    let (control, runtime) = (Arc::clone(&shared.control), Handle::current());
    tokio::task::spawn_blocking(move || {
        let read = control.events(&filter, &mut |event| {
            sender.push(&event);
            if sender.full() && sender.flush_blocking(&runtime).is_err() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        if let Err(error) = read {
            sender.push(&Failure::from(error).body);
        }
        if sender.flush_blocking(&runtime).is_err() {
            tracing::debug!("a reader of events went away before the end");
        }
        drop(room);
    });
    Ok(body)
}

/// `GET /events/{id}`: by id, or by the beginning of one.
///
/// # Errors
/// 404, 422 where the beginning is not unique, 403 where it is somebody else's.
pub async fn one(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
) -> Result<Json<EventRecord>, Failure> {
    Ok(Json(readable(&shared, &peer, id).await?))
}

/// `GET /events/{id}/why`.
///
/// # Errors
/// As [`one`].
pub async fn why(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
) -> Result<Json<Why>, Failure> {
    let event = readable(&shared, &peer, id).await?;
    Ok(Json(shared.ask(move |control| control.why(event)).await?))
}

/// The event `id`, where `peer` may read it.
async fn readable(shared: &Shared, peer: &Peer, id: String) -> Result<EventRecord, Failure> {
    let event = shared.ask(move |control| control.event(&id)).await?;
    if shared.policy.reads(peer, &event.session.owner) {
        Ok(event)
    } else {
        let remedy = "its owner, root, operators and the readers' group may read it";
        Err(refused(
            format!("event {} belongs to somebody else's session", event.id),
            remedy,
        )
        .into())
    }
}
