//! Destroys the file's content by opening it with `O_TRUNC`.

use std::fs::OpenOptions;
use std::io;

use super::target::FileTarget;
use crate::attack::slot::Slot;

/// Open for writing with `O_TRUNC`.
///
/// # Errors
/// Those of open.
pub fn attempt(target: &FileTarget, _slot: Slot<'_>) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&target.path)
        .map(drop)
}
