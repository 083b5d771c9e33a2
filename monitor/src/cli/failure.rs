//! What a command ends with when it does not do what was asked: words for people, an exit code for scripts.

use std::io::ErrorKind;

use hyper::StatusCode;

use crate::api::client::ClientError;
use crate::api::moment::MomentError;
use crate::api::types::ErrorBody;
use crate::cli::exit::Exit;
use crate::record::filter::PatternError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The daemon, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An error in the midst of a stream.
    #[error("{}", .0.error)]
    Stream(ErrorBody),
    /// The daemon ended while its events were followed.
    #[error("the scopeward daemon ended, or the connection to it broke")]
    Ended,
    /// An argument that is a time.
    #[error("failed to {0}")]
    Moment(#[from] MomentError),
    /// An argument that is a pattern.
    #[error("failed to {0}")]
    Pattern(#[from] PatternError),
    /// The store's directory.
    #[error("failed to read the store in {}: {source}", path.display())]
    Store {
        /// Which directory.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A view for a terminal, without one.
    #[error("scopeward top needs a terminal; scopeward sessions and scopeward pending say the same in lines")]
    NoTerminal,
    /// The output could not be written.
    #[error("failed to write the output: {0}")]
    Output(#[from] std::io::Error),
    /// An answer could not be written as JSON.
    #[error("failed to write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Client(ClientError::NotRunning { .. }) | Self::Ended => Exit::NotRunning,
            Self::Client(ClientError::Denied { .. }) => Exit::Privileges,
            Self::Client(ClientError::Refused { status, .. }) => match *status {
                StatusCode::FORBIDDEN => Exit::Privileges,
                StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Exit::Usage,
                StatusCode::NOT_IMPLEMENTED => Exit::Unsupported,
                _ => Exit::No,
            },
            Self::Moment(_) | Self::Pattern(_) | Self::NoTerminal => Exit::Usage,
            Self::Store { source, .. } => match source.kind() {
                ErrorKind::PermissionDenied => Exit::Privileges,
                ErrorKind::InvalidInput => Exit::Usage,
                _ => Exit::No,
            },
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
            Self::Client(ClientError::Protocol { .. })
            | Self::Stream(_)
            | Self::Output(_)
            | Self::Json(_) => Exit::No,
        }
    }

    /// True where the reader of the output went away: it has what it wanted, and nothing is to be said.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }

    /// What to do about it, where there is something to say.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::Client(ClientError::Refused { body, .. }) | Self::Stream(body) => {
                Some(body.remedy.as_str()).filter(|remedy| !remedy.is_empty())
            }
            _ => None,
        }
    }
}
