//! One process opens the file and passes the descriptor to another over a unix socket.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

use super::accomplice::{clone_with, leave};
use super::target::{FileTarget, obtained};
use crate::attack::slot::Slot;

fn pass(target: &FileTarget, socket: &UnixStream) -> io::Result<()> {
    let file = File::open(&target.path)?;
    let descriptors = [file.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(b"!")],
        &rights,
        MsgFlags::empty(),
        None,
    )?;
    Ok(())
}

/// A child opens and passes `SCM_RIGHTS`; the parent receives and reads.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    if clone_with(0)? == 0 {
        slot.end(&pass(target, &theirs));
        leave();
    }
    drop(theirs);
    let mut byte = [0];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let mut room = nix::cmsg_space!([i32; 1]);
    let message = recvmsg::<()>(ours.as_raw_fd(), &mut parts, Some(&mut room), MsgFlags::empty())?;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = control {
            let fd = descriptors.first().copied().ok_or(io::ErrorKind::UnexpectedEof)?;
            return obtained(slot.pread(fd)?);
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
