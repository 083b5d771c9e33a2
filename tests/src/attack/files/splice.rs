//! Moves the file's content with `splice` through a pipe.

use std::fs::File;
use std::io;

use nix::fcntl::{SpliceFFlags, splice};

use super::target::{FileTarget, obtained};
use crate::attack::loot::DATA;
use crate::attack::slot::Slot;

/// Open, `splice` into a pipe, `splice` from there into the loot.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let sink = slot.sink()?;
    let (out, into) = nix::unistd::pipe()?;
    let file = File::open(&target.path)?;
    let moved = splice(&file, None, &into, None, DATA, SpliceFFlags::empty())?;
    obtained(splice(&out, None, &sink, None, moved, SpliceFFlags::empty())?)
}
