//! A socket that was connected to an allowed endpoint, dissolved with `AF_UNSPEC`, and connected anew.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::libc;

use super::target::{NetworkTarget, connect, family, send, socket};

fn dissolve(socket: &OwnedFd) -> io::Result<()> {
    // AF_UNSPEC is 0.
    let nowhere = libc::sockaddr {
        sa_family: 0,
        sa_data: [0; 14],
    };
    let length = u32::try_from(size_of_val(&nowhere)).map_err(io::Error::other)?;
    // SAFETY: an address of the length given.
    let dissolved = unsafe { libc::connect(socket.as_raw_fd(), &raw const nowhere, length) };
    if dissolved < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn again(kind: libc::c_int, allowed: SocketAddr, target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), kind, 0)?;
    connect(&socket, allowed)?;
    dissolve(&socket)?;
    connect(&socket, target.to)?;
    send(&socket, &target.payload)
}

/// `connect` to the allowed endpoint, `connect` to `AF_UNSPEC`, `connect` to the target, `send`; over TCP.
///
/// # Errors
/// Those of the calls.
pub fn tcp(target: &NetworkTarget) -> io::Result<()> {
    again(libc::SOCK_STREAM, target.allowed, target)
}

/// The same over UDP.
///
/// # Errors
/// Those of the calls.
pub fn udp(target: &NetworkTarget) -> io::Result<()> {
    again(libc::SOCK_DGRAM, target.allowed, target)
}
