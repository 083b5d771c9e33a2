//! Reads the file through a hard link of another name.

use std::io;

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// `link`, then open and read of the link.
///
/// # Errors
/// Those of the three calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let alias = target.aside("hard");
    std::fs::hard_link(&target.path, &alias)?;
    open_and_read(&alias, slot)
}
