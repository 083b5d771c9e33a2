//! Reads the file in a `vfork` child, which runs in its parent's memory.

use std::io;
use std::os::fd::AsRawFd;

use nix::sched::{CloneFlags, clone};

use super::target::{FileTarget, wait_for};
use crate::attack::slot::Slot;

/// `clone` with `CLONE_VM | CLONE_VFORK`; the child opens and reads.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let mut stack = vec![0_u8; 256 * 1024];
    let child = Box::new(|| {
        let outcome = std::fs::File::open(&target.path).and_then(|file| slot.pread(file.as_raw_fd()));
        isize::from(!outcome.is_ok_and(|bytes| bytes > 0))
    });
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: the parent stands still until the child is gone, and the child only opens and reads on its own stack.
    let pid = unsafe { clone(child, &mut stack, flags, Some(nix::libc::SIGCHLD))? };
    match wait_for(pid.as_raw())? {
        0 => Ok(()),
        status => Err(io::Error::other(format!(
            "the child ended with status {status:#x}"
        ))),
    }
}
