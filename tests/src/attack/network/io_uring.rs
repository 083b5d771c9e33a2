//! Sockets that an io_uring ring makes, connects and sends on.

use std::io;
use std::net::SocketAddr;

use io_uring::{IoUring, opcode, squeue, types};
use nix::libc;
use nix::sys::socket::{SockaddrLike, SockaddrStorage};

use super::target::{NetworkTarget, family};

/// Submits `entry`, which must point to memory that lives until it is done, and waits for its result.
///
/// # Errors
/// Those of the operation.
pub(in crate::attack) fn run(ring: &mut IoUring, entry: &squeue::Entry) -> io::Result<i32> {
    // SAFETY: every caller keeps what the entry points to until this returns, and this waits for the completion.
    unsafe { ring.submission().push(entry) }.map_err(io::Error::other)?;
    ring.submit_and_wait(1)?;
    let result = ring.completion().next().map(|completion| completion.result());
    match result {
        Some(number) if number >= 0 => Ok(number),
        Some(number) => Err(io::Error::from_raw_os_error(-number)),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn socket(ring: &mut IoUring, to: SocketAddr, kind: libc::c_int) -> io::Result<types::Fd> {
    Ok(types::Fd(run(
        ring,
        &opcode::Socket::new(family(&to), kind, 0).build(),
    )?))
}

/// Socket, connect and send, each an operation of the ring; over TCP.
///
/// # Errors
/// Those of the operations.
pub fn connect(target: &NetworkTarget) -> io::Result<()> {
    let mut ring = IoUring::new(4)?;
    let fd = socket(&mut ring, target.to, libc::SOCK_STREAM)?;
    let to = SockaddrStorage::from(target.to);
    run(
        &mut ring,
        &opcode::Connect::new(fd, to.as_ptr(), to.len()).build(),
    )?;
    let length = u32::try_from(target.payload.len()).map_err(io::Error::other)?;
    run(
        &mut ring,
        &opcode::Send::new(fd, target.payload.as_ptr(), length).build(),
    )
    .map(drop)
}

/// Socket and sendmsg with an address, each an operation of the ring; over UDP.
///
/// # Errors
/// Those of the operations.
pub fn sendmsg(target: &NetworkTarget) -> io::Result<()> {
    let mut ring = IoUring::new(4)?;
    let fd = socket(&mut ring, target.to, libc::SOCK_DGRAM)?;
    let to = SockaddrStorage::from(target.to);
    let mut part = libc::iovec {
        iov_base: target.payload.as_ptr().cast_mut().cast(),
        iov_len: target.payload.len(),
    };
    // SAFETY: a message of zeros is a valid value of this plain struct.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = to.as_ptr().cast_mut().cast();
    message.msg_namelen = to.len();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    run(&mut ring, &opcode::SendMsg::new(fd, &raw const message).build()).map(drop)
}
