//! Datagrams: connected, by `sendto`, `sendmsg`, `sendmmsg`, to a path and to an abstract name.

use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use nix::sys::socket::{MsgFlags, MultiHeaders, UnixAddr, sendmmsg, sendmsg};

use super::target::ServiceTarget;

/// `connect`, then `send`.
///
/// # Errors
/// Those of the calls.
pub fn connected(target: &ServiceTarget) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(&target.at.datagram)?;
    socket.send(&target.payload).map(drop)
}

/// `sendto` to the path.
///
/// # Errors
/// Those of the calls.
pub fn sendto(target: &ServiceTarget) -> io::Result<()> {
    UnixDatagram::unbound()?
        .send_to(&target.payload, &target.at.datagram)
        .map(drop)
}

/// `sendto` to the abstract name.
///
/// # Errors
/// Those of the calls.
pub fn abstract_name(target: &ServiceTarget) -> io::Result<()> {
    let address = SocketAddr::from_abstract_name(&target.at.abstract_datagram)?;
    UnixDatagram::unbound()?
        .send_to_addr(&target.payload, &address)
        .map(drop)
}

/// `sendmsg` with the path in the message.
///
/// # Errors
/// Those of the calls.
pub fn by_sendmsg(target: &ServiceTarget) -> io::Result<()> {
    let to = UnixAddr::new(&target.at.datagram)?;
    let part = [IoSlice::new(&target.payload)];
    sendmsg(
        UnixDatagram::unbound()?.as_raw_fd(),
        &part,
        &[],
        MsgFlags::empty(),
        Some(&to),
    )?;
    Ok(())
}

/// `sendmmsg` of one message.
///
/// # Errors
/// Those of the calls.
pub fn by_sendmmsg(target: &ServiceTarget) -> io::Result<()> {
    let mut headers = MultiHeaders::preallocate(1, None);
    let to = [Some(UnixAddr::new(&target.at.datagram)?)];
    let socket = UnixDatagram::unbound()?;
    let parts = [[IoSlice::new(&target.payload)]];
    let sent = sendmmsg(
        socket.as_raw_fd(),
        &mut headers,
        &parts,
        to,
        [],
        MsgFlags::empty(),
    )?;
    match sent.count() {
        1 => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}
