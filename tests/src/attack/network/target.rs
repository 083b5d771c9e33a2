//! What a network technique is given, and the system calls that several of them make.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::libc;
use nix::sys::socket::{MsgFlags, SockaddrStorage};

/// Bytes of a payload: a tag of 8 and the trial's number in 8 digits.
pub const PAYLOAD: usize = 16;

/// Where to deliver what.
pub struct NetworkTarget {
    /// The endpoint to reach.
    pub to: SocketAddr,
    /// An endpoint that the scope allows, for techniques that begin with one.
    pub allowed: SocketAddr,
    /// [`PAYLOAD`] bytes to deliver.
    pub payload: Vec<u8>,
}

/// The payload of attempt `trial` under `tag` (cut or filled to 8 bytes).
#[must_use]
pub fn payload(tag: &str, trial: usize) -> Vec<u8> {
    format!("{tag:-<8.8}{trial:08}").into_bytes()
}

/// `address` as an IPv6 socket writes it: an IPv4 address becomes `::ffff:a.b.c.d`.
#[must_use]
pub fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddrV6::new(ip.to_ipv6_mapped(), address.port(), 0, 0).into(),
        IpAddr::V6(_) => address,
    }
}

/// The address family for `address`.
#[must_use]
pub const fn family(address: &SocketAddr) -> libc::c_int {
    if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    }
}

/// `socket`.
///
/// # Errors
/// Those of the call.
pub fn socket(family: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: three integers.
    let fd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that the kernel just gave and nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `connect`.
///
/// # Errors
/// Those of the call.
pub fn connect(socket: &OwnedFd, to: SocketAddr) -> io::Result<()> {
    Ok(nix::sys::socket::connect(
        socket.as_raw_fd(),
        &SockaddrStorage::from(to),
    )?)
}

/// `send`.
///
/// # Errors
/// Those of the call.
pub fn send(socket: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
    Ok(nix::sys::socket::send(socket.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL).map(drop)?)
}

/// `sendto` with `flags`.
///
/// # Errors
/// Those of the call.
pub fn send_to(socket: &OwnedFd, bytes: &[u8], to: SocketAddr, flags: libc::c_int) -> io::Result<()> {
    let flags = MsgFlags::from_bits_retain(flags | libc::MSG_NOSIGNAL);
    let to = SockaddrStorage::from(to);
    Ok(nix::sys::socket::sendto(socket.as_raw_fd(), bytes, &to, flags).map(drop)?)
}

/// Sets an integer option.
///
/// # Errors
/// Those of `setsockopt`.
pub fn set_option(
    socket: &OwnedFd,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the value is a live integer of 4 bytes.
    let set = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), 4) };
    if set < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
