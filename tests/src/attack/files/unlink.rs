//! Destroys the file by removing its name.

use std::io;

use super::target::FileTarget;
use crate::attack::slot::Slot;

/// `unlink`.
///
/// # Errors
/// Those of `unlink`.
pub fn attempt(target: &FileTarget, _slot: Slot<'_>) -> io::Result<()> {
    std::fs::remove_file(&target.path)
}
