//! TCP Fast Open: the data goes out with the first segment, and no `connect` is called.

use std::io;

use nix::libc;

use super::target::{NetworkTarget, connect, family, send, send_to, set_option, socket};

/// `sendto` with `MSG_FASTOPEN`.
///
/// # Errors
/// Those of the calls.
pub fn sendto(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_STREAM, 0)?;
    send_to(&socket, &target.payload, target.to, libc::MSG_FASTOPEN)
}

/// A `connect` that `TCP_FASTOPEN_CONNECT` puts off until the first `send`.
///
/// # Errors
/// Those of the calls.
pub fn deferred(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_STREAM, 0)?;
    set_option(&socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, 1)?;
    connect(&socket, target.to)?;
    send(&socket, &target.payload)
}

/// `sendto` with `MSG_FASTOPEN` on a multipath socket.
///
/// # Errors
/// Those of the calls.
pub fn mptcp(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(family(&target.to), libc::SOCK_STREAM, libc::IPPROTO_MPTCP)?;
    send_to(&socket, &target.payload, target.to, libc::MSG_FASTOPEN)
}
