//! The socket: bound, open to everybody, put back where somebody deletes it, and not to be filled by one user.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::api::peer::Peer;

/// How often the socket's file is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Most connections of one user at a time; root has no limit.
const MOST_CONNECTIONS: usize = 16;

/// What keeps the API from being served.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another daemon answers there.
    #[error("bind {}: another daemon (process {pid}) answers there", path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
        /// Who answers.
        pid: u32,
    },
    /// The file system refuses.
    #[error("bind {}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// What the socket has been through, for `status`.
#[derive(Debug, Default)]
pub struct SocketState {
    problem: Mutex<Option<String>>,
}

impl SocketState {
    /// What is to be said about the socket; `None` where nothing is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, problem: String) {
        tracing::warn!(problem, "the API's socket");
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }
}

/// The listening socket.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    file: Option<(u64, u64)>,
    /// The service manager's: its file stays when this ends.
    handed: bool,
    listener: UnixListener,
    look: Interval,
    state: Arc<SocketState>,
    connections: Arc<Mutex<HashMap<u32, usize>>>,
}

impl Socket {
    /// Binds `path` with mode 0666; its directory is made (mode 0755) where it is missing. A socket that nobody
    /// answers on is replaced. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        if let Ok(stream) = std::os::unix::net::UnixStream::connect(path) {
            let pid = Peer::of(&stream).map_or(0, |peer| peer.pid);
            return Err(BindError::Taken {
                path: path.to_owned(),
                pid,
            });
        }
        let (listener, file) = bind(path).map_err(|source| BindError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::listening(path, listener, file, false))
    }

    /// Takes a socket that the service manager bound to `path`, and keeps when this ends. Must be called inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`BindError::Io`].
    pub fn handed(listener: std::os::unix::net::UnixListener, path: &Path) -> Result<Self, BindError> {
        let taken = listener
            .set_nonblocking(true)
            .and_then(|()| UnixListener::from_std(listener))
            .and_then(|listener| Ok((listener, file_id(path)?)));
        let (listener, file) = taken.map_err(|source| BindError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::listening(path, listener, file, true))
    }

    fn listening(path: &Path, listener: UnixListener, file: (u64, u64), handed: bool) -> Self {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            path: path.to_owned(),
            file: Some(file),
            handed,
            listener,
            look,
            state: Arc::default(),
            connections: Arc::default(),
        }
    }

    /// What it has been through.
    #[must_use]
    pub fn state(&self) -> Arc<SocketState> {
        Arc::clone(&self.state)
    }

    /// Puts the socket back where its file is gone or another one. Connections that there are go on.
    fn look_after(&mut self) {
        if file_id(&self.path).ok() == self.file {
            return;
        }
        match bind(&self.path) {
            Ok((listener, file)) => {
                (self.listener, self.file, self.handed) = (listener, Some(file), false);
                let now = jiff::Timestamp::now()
                    .round(jiff::Unit::Second)
                    .unwrap_or_default();
                self.state.set(format!(
                    "the socket {} was deleted or replaced, and was put back at {now}",
                    self.path.display()
                ));
            }
            Err(error) => {
                // Tried again at the next look: a path without a socket of ours never compares equal.
                self.file = None;
                self.state.set(format!(
                    "the socket {} was deleted or replaced, and cannot be put back: {error}",
                    self.path.display()
                ));
            }
        }
    }

    fn admit(&self, stream: UnixStream) -> Option<(Connection, Peer)> {
        let peer = Peer::of(&stream)
            .inspect_err(|error| tracing::warn!(%error, "a caller's credentials"))
            .ok()?;
        let slot = Slot::take(&self.connections, peer.uid);
        if slot.is_none() {
            tracing::warn!(uid = peer.uid, "a user has too many connections open");
        }
        Some((Connection { stream, _slot: slot? }, peer))
    }
}

fn bind(path: &Path) -> std::io::Result<(UnixListener, (u64, u64))> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Anybody may connect, to enrol a run of their own; what a caller may do is decided for each request.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok((listener, file_id(path)?))
}

fn file_id(path: &Path) -> std::io::Result<(u64, u64)> {
    path.symlink_metadata()
        .map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.file.is_some()
            && !self.handed
            && file_id(&self.path).ok() == self.file
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(%error, "removal of the API's socket");
        }
    }
}

impl Listener for Socket {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        if let Some(admitted) = self.admit(stream) {
                            return admitted;
                        }
                    }
                    Err(error) => {
                        // Out of descriptors, most likely: wait for some to be closed.
                        tracing::warn!(%error, "accepting a caller");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                _ = self.look.tick() => self.look_after(),
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Peer> {
        Ok(Peer::this_process())
    }
}

/// A caller's connection. Ends one of the user's allowed number when dropped.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    _slot: Slot,
}

#[derive(Debug)]
struct Slot {
    connections: Arc<Mutex<HashMap<u32, usize>>>,
    uid: u32,
}

impl Slot {
    fn take(connections: &Arc<Mutex<HashMap<u32, usize>>>, uid: u32) -> Option<Self> {
        let mut counts = connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(uid).or_default();
        if uid != 0 && *count >= MOST_CONNECTIONS {
            return None;
        }
        *count += 1;
        Some(Self {
            connections: Arc::clone(connections),
            uid,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.uid);
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
