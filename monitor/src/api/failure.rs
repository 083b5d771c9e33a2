//! Everything that is not a success, as one JSON shape: what is wrong, and what to do about it.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::api::control::ControlError;
use crate::api::types::ErrorBody;

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: ErrorBody,
}

impl Failure {
    /// A failure with these words.
    #[must_use]
    pub fn new(status: StatusCode, error: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            status,
            body: ErrorBody {
                error: error.into(),
                remedy: remedy.into(),
            },
        }
    }

    /// The request is malformed.
    #[must_use]
    pub fn malformed(error: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, remedy)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::NotFound { what, id } => Self::new(
                StatusCode::NOT_FOUND,
                format!("there is no {what} {id:?}"),
                match what {
                    "scope" => "scopeward status lists the scopes".to_owned(),
                    "exporter" => {
                        "scopeward export status lists the exporters; [[export]] in daemon.toml makes them"
                            .to_owned()
                    }
                    _ => format!("scopeward {what}s lists those there are"),
                },
            ),
            ControlError::Invalid { why, remedy } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, why, remedy),
            ControlError::Refused { why, remedy } => Self::new(StatusCode::FORBIDDEN, why, remedy),
            ControlError::Unsupported { why, remedy } => Self::new(StatusCode::NOT_IMPLEMENTED, why, remedy),
            ControlError::Internal(why) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                why,
                "scopeward status and the daemon's log say more",
            ),
        }
    }
}

/// A JSON body; what is wrong with one is told in [`ErrorBody`]'s shape.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Json(body) = Json::from_request(request, state)
            .await
            .map_err(|rejection: JsonRejection| {
                let remedy = "send one JSON object, at most 1 MiB, with content-type: application/json";
                Failure::new(rejection.status(), rejection.body_text(), remedy)
            })?;
        Ok(Self(body))
    }
}
