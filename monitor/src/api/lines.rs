//! A body of NDJSON lines that is written while it is read: each frame goes out as soon as it is there.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// How long a reader may leave a full pipe unread before it is let go.
const PATIENCE: Duration = Duration::from_secs(15);
/// Frames that may wait for the reader.
const FRAMES: usize = 16;
/// A frame is sent when it has grown past this many bytes.
const FRAME_BYTES: usize = 16 << 10;

/// The reader went away, or does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderGone;

/// The writing end: collects lines, sends them in frames.
#[derive(Debug)]
pub struct LineSender {
    frames: mpsc::Sender<Bytes>,
    pending: Vec<u8>,
}

impl LineSender {
    /// Adds a line. It goes out with the next [`LineSender::flush`], or [`LineSender::full`] asks for one.
    pub fn push(&mut self, value: &impl Serialize) {
        let before = self.pending.len();
        match serde_json::to_writer(&mut self.pending, value) {
            Ok(()) => self.pending.push(b'\n'),
            Err(error) => {
                // No type of the API fails to be JSON; if one did, half a line must not go out.
                self.pending.truncate(before);
                tracing::error!(%error, "a line of the API");
            }
        }
    }

    /// True where a frame is due.
    #[must_use]
    pub fn full(&self) -> bool {
        self.pending.len() >= FRAME_BYTES
    }

    /// Sends what is pending; waits while the reader is slow, within reason.
    ///
    /// # Errors
    /// [`ReaderGone`].
    pub async fn flush(&mut self) -> Result<(), ReaderGone> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let frame = Bytes::from(std::mem::take(&mut self.pending));
        match tokio::time::timeout(PATIENCE, self.frames.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(ReaderGone),
        }
    }

    /// [`LineSender::flush`], for a thread that may block.
    ///
    /// # Errors
    /// [`ReaderGone`].
    pub fn flush_blocking(&mut self, runtime: &Handle) -> Result<(), ReaderGone> {
        runtime.block_on(self.flush())
    }

    /// Ends once the reader has gone away.
    pub async fn gone(&self) {
        self.frames.closed().await;
    }
}

/// The reading end, as a response.
#[derive(Debug)]
pub struct Lines {
    frames: mpsc::Receiver<Bytes>,
}

/// The two ends.
#[must_use]
pub fn lines() -> (LineSender, Lines) {
    let (sender, frames) = mpsc::channel(FRAMES);
    (
        LineSender {
            frames: sender,
            pending: Vec::new(),
        },
        Lines { frames },
    )
}

impl HttpBody for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.frames
            .poll_recv(context)
            .map(|frame| frame.map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl IntoResponse for Lines {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "application/x-ndjson"),
            (CACHE_CONTROL, "no-store"),
        ];
        (headers, Body::new(self)).into_response()
    }
}
