//! The API as it is served: state, routes, start and end.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::IncomingStream;
use tokio::sync::{Semaphore, watch};

use crate::api::control::{Control, ControlError};
use crate::api::failure::Failure;
use crate::api::peer::Peer;
use crate::api::permissions::Policy;
use crate::api::routes::{cases, change, cuts, events, export, grants, metrics, overview, sessions};
use crate::api::socket::{BindError, Socket, SocketState};
use crate::api::workers::Workers;

/// Most bytes of a request's body: a scope file and room.
const MOST_BODY: usize = 1 << 20;
/// Readings of the store at one time.
const MOST_READINGS: usize = 4;
/// How long answers that are under way may take once the API is to end.
const GRACE: Duration = Duration::from_secs(2);

/// What every route knows.
#[derive(Clone)]
pub struct Shared {
    /// The pipeline.
    pub control: Arc<dyn Control>,
    /// Who may do what.
    pub policy: Arc<Policy>,
    /// What the socket has been through.
    pub socket: Arc<SocketState>,
    /// Turns true when the API ends.
    pub shutdown: watch::Receiver<bool>,
    /// Threads for questions that may block.
    pub workers: Workers,
    /// Room for readings of the store.
    pub readings: Arc<Semaphore>,
}

impl Shared {
    /// Asks the pipeline something that may take a while, on a thread that may block.
    ///
    /// # Errors
    /// What the pipeline says, as an answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Control) -> Result<T, ControlError> + Send + 'static,
    ) -> Result<T, Failure> {
        let control = Arc::clone(&self.control);
        let answer = self.workers.run(move || question(&*control)).await;
        let broken = || ControlError::Internal("the daemon failed while it answered".to_owned());
        Ok(answer.ok_or_else(broken)??)
    }
}

impl Connected<IncomingStream<'_, Socket>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Socket>) -> Self {
        stream.remote_addr().clone()
    }
}

/// The API, bound to its socket.
#[derive(Debug)]
pub struct Server {
    socket: Socket,
}

impl Server {
    /// Binds the socket; callers wait until [`Server::serve`]. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`]; names the daemon that has the socket already.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        Ok(Self {
            socket: Socket::bind(path)?,
        })
    }

    /// Answers on a socket that the service manager bound to `path` and keeps: callers wait there while no daemon runs.
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError::Io`].
    pub fn handed(listener: std::os::unix::net::UnixListener, path: &Path) -> Result<Self, BindError> {
        Ok(Self {
            socket: Socket::handed(listener, path)?,
        })
    }

    /// Answers until `end` is ready; then gives what is under way two seconds.
    ///
    /// # Errors
    /// Where there is no room for the API's threads; accepting goes on by itself after errors.
    pub async fn serve(
        self,
        control: Arc<dyn Control>,
        policy: Policy,
        end: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        let (ending, shutdown) = watch::channel(false);
        let shared = Shared {
            control,
            policy: Arc::new(policy),
            socket: self.socket.state(),
            shutdown: shutdown.clone(),
            workers: Workers::start()?,
            readings: Arc::new(Semaphore::new(MOST_READINGS)),
        };
        let service = router(shared).into_make_service_with_connect_info::<Peer>();
        let mut ended = shutdown;
        let serving = axum::serve(self.socket, service).with_graceful_shutdown(async move {
            // An error means that the other end was dropped: the end as well.
            drop(ended.wait_for(|ending| *ending).await);
        });
        let serving = async move { serving.await };
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => return served,
            () = end => {}
        }
        ending.send_replace(true);
        tokio::time::timeout(GRACE, serving).await.unwrap_or(Ok(()))
    }
}

fn router(shared: Shared) -> Router {
    let v1 = Router::new()
        .route("/status", get(overview::status))
        .route("/agents", get(overview::agents))
        .route("/scopes", get(overview::scopes))
        .route("/reload", post(change::reload))
        .route("/sessions", get(sessions::list).post(change::enrol))
        .route("/sessions/{id}", get(sessions::one))
        .route("/sessions/{id}/tree", get(sessions::tree))
        .route("/sessions/{id}/report", get(cases::report))
        .route("/sessions/{id}/freeze", post(change::freeze))
        .route("/sessions/{id}/thaw", post(change::thaw))
        .route("/sessions/{id}/kill", post(change::kill))
        .route("/export", get(export::status))
        .route("/export/{name}/test", post(export::test))
        .route("/self/why", get(sessions::own_why))
        .route("/grants", get(grants::list).post(grants::give))
        .route("/grants/{id}/revoke", post(grants::revoke))
        .route("/pending", get(grants::pending))
        .route("/cuts", get(cuts::list))
        .route("/incidents", get(cases::incidents))
        .route("/rotations", get(cases::rotations).post(cases::rotate))
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::one))
        .route("/events/{id}/why", get(events::why));
    Router::new()
        .nest("/v1", v1)
        .route("/metrics", get(metrics::get_one))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn(in_words))
        .with_state(shared)
}

async fn nowhere() -> Failure {
    let remedy = "GET /v1/status, /v1/sessions, /v1/agents, /v1/events, /v1/cuts, /v1/incidents, /v1/rotations, /v1/grants, /v1/pending, /v1/scopes";
    Failure::new(StatusCode::NOT_FOUND, "there is nothing at this path", remedy)
}

async fn not_so() -> Failure {
    let remedy = "reading is GET; changes are POST";
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method",
        remedy,
    )
}

/// Puts answers of the framework itself (a path that is not UTF-8, …) into the shape of all the others.
async fn in_words(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let json = response
        .headers()
        .get("content-type")
        .is_some_and(|value| value.as_bytes().ends_with(b"json"));
    if response.status().is_success() || json {
        return response;
    }
    let status = response.status();
    Failure::new(
        status,
        status.to_string(),
        "look at the path and the query string",
    )
    .into_response()
}
