//! Takes an `O_PATH` descriptor, which reads nothing, and reopens it through `/proc/self/fd`.

use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// Open with `O_PATH`, open of `/proc/self/fd/N`, read.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let handle = open(&target.path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    let alias = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()));
    open_and_read(&alias, slot)
}
