//! Streams that connect and then send: TCP over both families, v4-mapped, MPTCP, SCTP.

use std::io::{self, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;

use nix::libc;

use super::target::{NetworkTarget, connect, family, mapped, send, socket};

fn deliver(socket: &OwnedFd, target: &NetworkTarget) -> io::Result<()> {
    connect(socket, target.to)?;
    send(socket, &target.payload)
}

/// `connect` and `write`, as every program does it.
///
/// # Errors
/// Those of the calls.
pub fn tcp(target: &NetworkTarget) -> io::Result<()> {
    TcpStream::connect(target.to)?.write_all(&target.payload)
}

/// A connection to an IPv4 address from an IPv6 socket.
///
/// # Errors
/// Those of the calls.
pub fn v4_mapped(target: &NetworkTarget) -> io::Result<()> {
    let socket = socket(libc::AF_INET6, libc::SOCK_STREAM, 0)?;
    connect(&socket, mapped(target.to))?;
    send(&socket, &target.payload)
}

/// Multipath TCP, whose protocol number is not TCP's.
///
/// # Errors
/// Those of the calls.
pub fn mptcp(target: &NetworkTarget) -> io::Result<()> {
    deliver(
        &socket(family(&target.to), libc::SOCK_STREAM, libc::IPPROTO_MPTCP)?,
        target,
    )
}

/// SCTP, one-to-one.
///
/// # Errors
/// Those of the calls; `EPROTONOSUPPORT` on kernels without it.
pub fn sctp(target: &NetworkTarget) -> io::Result<()> {
    deliver(
        &socket(family(&target.to), libc::SOCK_STREAM, libc::IPPROTO_SCTP)?,
        target,
    )
}
