//! What is said to the service manager, and what is taken from it: readiness, reloads, the watchdog, the socket.
#![expect(
    unsafe_code,
    reason = "a descriptor that the service manager hands over comes as a number"
)]

use std::{
    os::{
        fd::{FromRawFd as _, OwnedFd},
        unix::net::UnixListener,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::socket::{AddressFamily, SockaddrLike as _, SockaddrStorage, getsockname};
use sd_notify::NotifyState;

/// Says that the daemon answers, and how it is doing in a few words.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Says that the scope files are being read again. A [`ready`] ends it.
pub fn reloading() {
    let mut states = vec![NotifyState::Reloading];
    // The clock that systemd compares with; without it (a kernel without that clock) it goes by the order alone.
    states.extend(NotifyState::monotonic_usec_now());
    tell(&states);
}

/// Says that the daemon ends.
pub fn stopping(status: &str) {
    tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// Feeds the watchdog.
pub fn feed() {
    tell(&[NotifyState::Watchdog]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// How long the watchdog waits for food; `None` where there is none for this process.
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// The listening socket that the service manager holds for this process, where it holds one for `path`. Must be called
/// once, before anything else opens descriptors: the numbers are taken to be the ones that were handed over.
///
/// # Errors
/// [`HandedError`] where something else was handed over: it is not guessed what that is for.
pub fn handed_socket(path: &Path) -> Result<Option<UnixListener>, HandedError> {
    let mut handed = sd_notify::listen_fds().map_err(HandedError::Env)?;
    let (Some(number), more) = (handed.next(), handed.len()) else {
        return Ok(None);
    };
    // SAFETY: the service manager opened this descriptor for this process (`LISTEN_PID` was compared), and nothing else
    // in it owns the number: this is called once, at the start.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    if more > 0 {
        return Err(HandedError::Several(more + 1));
    }
    let address: SockaddrStorage =
        getsockname(std::os::fd::AsRawFd::as_raw_fd(&descriptor)).map_err(|_| HandedError::NoSocket)?;
    if address.family() != Some(AddressFamily::Unix) {
        return Err(HandedError::NoSocket);
    }
    let listener = UnixListener::from(descriptor);
    let at = listener
        .local_addr()
        .ok()
        .and_then(|address| address.as_pathname().map(Path::to_owned));
    match at {
        Some(at) if at == path => Ok(Some(listener)),
        at => Err(HandedError::Elsewhere {
            at: at.unwrap_or_default(),
            wanted: path.to_owned(),
        }),
    }
}

/// What is wrong with what was handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandedError {
    /// The variables cannot be read.
    #[error("use the socket that the service manager holds: {0}")]
    Env(std::io::Error),
    /// More than one.
    #[error(
        "use the socket that the service manager holds: it holds {0}; write one ListenStream= into the socket unit"
    )]
    Several(usize),
    /// No unix socket.
    #[error(
        "use the socket that the service manager holds: it is no unix socket; write ListenStream= with the path of the \
         run directory's scopeward.sock into the socket unit"
    )]
    NoSocket,
    /// At another path than the settings say.
    #[error(
        "use the socket that the service manager holds: it is at {}, and the settings say {}; make ListenStream= of the \
         socket unit and `run` of daemon.toml agree", at.display(), wanted.display()
    )]
    Elsewhere {
        /// Where it is.
        at: PathBuf,
        /// Where it is looked for.
        wanted: PathBuf,
    },
}
