//! Moves the file's content with `copy_file_range`.

use std::fs::File;
use std::io;

use super::target::{FileTarget, obtained};
use crate::attack::loot::DATA;
use crate::attack::slot::Slot;

/// Open, then `copy_file_range` into the loot.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let sink = slot.sink()?;
    let file = File::open(&target.path)?;
    obtained(nix::fcntl::copy_file_range(&file, None, &sink, None, DATA)?)
}
