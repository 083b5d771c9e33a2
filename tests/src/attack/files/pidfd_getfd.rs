//! Another process takes the descriptor out of the opener's table with `pidfd_getfd`.

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use nix::libc;

use super::accomplice::{clone_with, linger, steal_until_dead};
use super::target::{FileTarget, next_descriptor};
use crate::attack::slot::Slot;

/// `pidfd_open` of the opener, then `pidfd_getfd` of the descriptor that it will get.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let guess = next_descriptor()?;
    let opener = nix::unistd::getpid().as_raw();
    if clone_with(0)? == 0 {
        // SAFETY: two integers; returns a descriptor or an error.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, opener, 0) };
        steal_until_dead(opener, slot, || {
            // SAFETY: three integers; returns a descriptor or an error.
            let taken = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, guess, 0) };
            let number = i32::try_from(taken).map_err(io::Error::other)?;
            if number < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: a descriptor that the kernel just gave and nobody else owns.
            let _held = unsafe { OwnedFd::from_raw_fd(number) };
            slot.pread(number)
        });
    }
    slot.await_ready(1)?;
    let opened = File::open(&target.path);
    linger(opened.is_ok(), slot);
    opened.map(drop)
}
