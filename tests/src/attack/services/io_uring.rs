//! Connects and sends that an io_uring ring makes.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use io_uring::{IoUring, opcode, types};
use nix::libc;
use nix::sys::socket::{SockaddrLike, UnixAddr};

use super::target::ServiceTarget;
use crate::attack::network::io_uring::run;

fn socket(kind: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: three integers.
    let fd = unsafe { libc::socket(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that the kernel just gave and nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn delivered(kind: libc::c_int, to: &UnixAddr, payload: &[u8]) -> io::Result<()> {
    let mut ring = IoUring::new(4)?;
    let socket = socket(kind)?;
    let fd = types::Fd(socket.as_raw_fd());
    run(
        &mut ring,
        &opcode::Connect::new(fd, to.as_ptr().cast(), to.len()).build(),
    )?;
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    run(
        &mut ring,
        &opcode::Send::new(fd, payload.as_ptr(), length).build(),
    )
    .map(drop)
}

/// Connect and send to a stream socket.
///
/// # Errors
/// Those of the operations.
pub fn connect(target: &ServiceTarget) -> io::Result<()> {
    let to = UnixAddr::new(&target.at.stream)?;
    delivered(libc::SOCK_STREAM, &to, &target.payload)
}

/// Connect and send to a datagram socket.
///
/// # Errors
/// Those of the operations.
pub fn datagram(target: &ServiceTarget) -> io::Result<()> {
    let to = UnixAddr::new(&target.at.datagram)?;
    delivered(libc::SOCK_DGRAM, &to, &target.payload)
}
