//! Opens the file by its name and reads it.

use std::io;

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// `open`, then `pread`.
///
/// # Errors
/// Those of open and read.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    open_and_read(&target.path, slot)
}
