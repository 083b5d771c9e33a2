//! Destroys the file's content with `truncate`, which opens nothing.

use std::io;

use super::target::FileTarget;
use crate::attack::slot::Slot;

/// `truncate` to nothing.
///
/// # Errors
/// Those of `truncate`.
pub fn attempt(target: &FileTarget, _slot: Slot<'_>) -> io::Result<()> {
    Ok(nix::unistd::truncate(&target.path, 0)?)
}
