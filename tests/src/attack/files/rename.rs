//! Gives the file another name in another directory, then reads it there.

use std::io;

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// `rename`, then open and read of the new name.
///
/// # Errors
/// Those of the three calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let alias = target.aside("renamed");
    std::fs::rename(&target.path, &alias)?;
    open_and_read(&alias, slot)
}
