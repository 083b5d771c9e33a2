//! A connection made without waiting for it.

use std::io;
use std::os::fd::AsFd;

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::target::{NetworkTarget, connect, family, send, socket};

/// Non-blocking `connect`, `poll`, `send`.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0)?;
    match connect(&socket, target.to) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    poll(
        &mut [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)],
        PollTimeout::from(2000_u16),
    )?;
    send(&socket, &target.payload)
}
