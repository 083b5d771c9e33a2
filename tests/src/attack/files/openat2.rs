//! Opens the file with `openat2`, below its directory.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::fcntl::{OFlag, OpenHow, ResolveFlag};

use super::target::{FileTarget, obtained};
use crate::attack::slot::Slot;

/// `openat2` with `RESOLVE_BENEATH`, then read.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let (Some(directory), Some(name)) = (target.path.parent(), target.path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let below = File::open(directory)?;
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY)
        .resolve(ResolveFlag::RESOLVE_BENEATH);
    let file = nix::fcntl::openat2(&below, name, how)?;
    obtained(slot.pread(file.as_raw_fd())?)
}
