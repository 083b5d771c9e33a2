//! The other end of the API, for the CLI.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::api::types::ErrorBody;

/// Most bytes of an answer that is not a stream.
const MOST_ANSWER: usize = 64 << 20;
/// Most bytes of one line of a stream.
const MOST_LINE: usize = 8 << 20;
/// How long the daemon may take to begin an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("the scopeward daemon is not running (nothing answers on {}); start it: systemctl start scopeward", socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
    },
    /// The socket may not be opened.
    #[error("no permission to connect to {}", socket.display())]
    Denied {
        /// The socket.
        socket: PathBuf,
    },
    /// The daemon said no.
    #[error("{}", body.error)]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What it said.
        body: ErrorBody,
    },
    /// The answer is not what it should be: another version, or another program.
    #[error("the answer on {} is not understood: {detail}", socket.display())]
    Protocol {
        /// The socket.
        socket: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

/// Asks the daemon; one connection for each question. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the daemon that listens on `socket`. Nothing is connected yet.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// `GET target`, as `/v1/status`. What goes into `target` must be percent-encoded:
    /// [`crate::api::question::encode`].
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, target: &str) -> Result<T, ClientError> {
        let response = self.send(Method::GET, target, Bytes::new()).await?;
        self.read(response).await
    }

    /// `POST target` with a JSON body.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        target: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| self.protocol(error))?;
        let response = self.send(Method::POST, target, body.into()).await?;
        self.read(response).await
    }

    /// `GET target`, as a stream of lines.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn lines(&self, target: &str) -> Result<LineStream, ClientError> {
        let response = self.send(Method::GET, target, Bytes::new()).await?;
        Ok(LineStream {
            body: response.into_body(),
            buffer: Vec::new(),
            read: 0,
            client: self.clone(),
        })
    }

    fn protocol(&self, detail: impl std::fmt::Display) -> ClientError {
        ClientError::Protocol {
            socket: self.socket.clone(),
            detail: detail.to_string(),
        }
    }

    async fn connect(&self) -> Result<UnixStream, ClientError> {
        UnixStream::connect(&self.socket).await.map_err(|error| {
            let socket = self.socket.clone();
            match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => ClientError::NotRunning { socket },
                ErrorKind::PermissionDenied => ClientError::Denied { socket },
                _ => self.protocol(error),
            }
        })
    }

    async fn send(
        &self,
        method: Method,
        target: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream = TokioIo::new(self.connect().await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
            .await
            .map_err(|error| self.protocol(error))?;
        // It ends with the answer; what goes wrong on it shows in the answer as well.
        tokio::spawn(async move { drop(connection.await) });
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, "scopeward");
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body));
        let request = request.map_err(|error| self.protocol(error))?;
        let response = tokio::time::timeout(PATIENCE, sender.send_request(request)).await;
        let response = response.map_err(|_| self.protocol("no answer within 30 seconds"))?;
        let response = response.map_err(|error| self.protocol(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = self.read(response).await?;
        Err(ClientError::Refused { status, body })
    }

    async fn read<T: DeserializeOwned>(&self, response: Response<Incoming>) -> Result<T, ClientError> {
        let body = Limited::new(response.into_body(), MOST_ANSWER).collect().await;
        let body = body.map_err(|error| self.protocol(error))?.to_bytes();
        serde_json::from_slice(&body).map_err(|error| self.protocol(error))
    }
}

/// The lines of a streamed answer.
#[derive(Debug)]
pub struct LineStream {
    body: Incoming,
    buffer: Vec<u8>,
    /// How much of `buffer` was given out.
    read: usize,
    client: Client,
}

impl LineStream {
    /// True where a whole line is there already: [`LineStream::next`] gives it without waiting.
    #[must_use]
    pub fn has_line(&self) -> bool {
        self.buffer[self.read..].contains(&b'\n')
    }

    /// The next line, without its end; `None` at the end of the stream.
    ///
    /// # Errors
    /// [`ClientError::Protocol`] where the stream breaks, or where a line is no text or too long.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        let mut searched = self.read;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer[self.read..searched + end].to_vec();
                self.read = searched + end + 1;
                return String::from_utf8(line)
                    .map(Some)
                    .map_err(|error| self.client.protocol(error));
            }
            self.buffer.drain(..self.read);
            self.read = 0;
            searched = self.buffer.len();
            if searched > MOST_LINE {
                return Err(self.client.protocol("a line is too long"));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.buffer.extend(frame.into_data().unwrap_or_default()),
                Some(Err(error)) => return Err(self.client.protocol(error)),
                None if self.buffer.is_empty() => return Ok(None),
                None => {
                    return Err(self
                        .client
                        .protocol("the stream broke off in the middle of a line"));
                }
            }
        }
    }
}
