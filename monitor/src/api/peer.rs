//! Who is asking: the credentials that the kernel keeps for the other end of the socket.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::{PeerCredentials, PeerPidfd};

/// The process at the other end, as it was when it connected.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its process id, as the host sees it; 0 where the host cannot see it.
    pub pid: u32,
    /// Its effective user id.
    pub uid: u32,
    /// Its effective group id, and its supplementary groups.
    pub gids: Vec<u32>,
    handle: Handle,
}

/// What tells whether `pid` still is the process that connected.
#[derive(Clone, Debug)]
enum Handle {
    Pidfd(Arc<OwnedFd>),
    /// It had ended before it could be looked at.
    Gone,
    /// A kernel before 6.5 has no such handle: only the process id is known.
    PidOnly,
}

impl Peer {
    /// The peer of a connected socket.
    ///
    /// # Errors
    /// Where the kernel gives no credentials: not a unix socket.
    pub fn of(socket: &impl AsFd) -> std::io::Result<Self> {
        let credentials = getsockopt(socket, PeerCredentials)?;
        let pid = u32::try_from(credentials.pid()).unwrap_or(0);
        let handle = match getsockopt(socket, PeerPidfd) {
            Ok(pidfd) => Handle::Pidfd(Arc::new(pidfd)),
            Err(Errno::ENOPROTOOPT) => Handle::PidOnly,
            Err(_) => Handle::Gone,
        };
        let peer = Self {
            pid,
            uid: credentials.uid(),
            gids: vec![credentials.gid()],
            handle,
        };
        // The list belongs to this process only if it is alive after the list was read.
        let groups = supplementary_groups(pid);
        let groups = if peer.is_alive() { groups } else { Vec::new() };
        Ok(Self {
            gids: [peer.gids, groups].concat(),
            ..peer
        })
    }

    /// A peer that is this very process.
    #[must_use]
    pub fn this_process() -> Self {
        Self {
            pid: std::process::id(),
            uid: nix::unistd::geteuid().as_raw(),
            gids: vec![nix::unistd::getegid().as_raw()],
            handle: Handle::PidOnly,
        }
    }

    /// True while `pid` is the process that connected: its number cannot have gone to another one.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        match &self.handle {
            Handle::Pidfd(pidfd) => {
                // A pidfd is readable once its process has ended.
                let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
                poll(&mut fds, PollTimeout::ZERO) == Ok(0)
            }
            Handle::Gone => false,
            Handle::PidOnly => self.pid != 0 && std::path::Path::new(&format!("/proc/{}", self.pid)).exists(),
        }
    }
}

fn supplementary_groups(pid: u32) -> Vec<u32> {
    let status = i32::try_from(pid)
        .ok()
        .and_then(|pid| procfs::process::Process::new(pid).ok()?.status().ok());
    status.map_or_else(Vec::new, |status| status.groups)
}
