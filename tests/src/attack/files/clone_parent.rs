//! Reads the file in a process that is a sibling of its maker, not a child.

use std::io;

use nix::libc;

use super::accomplice::{clone_with, leave};
use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// `clone` with `CLONE_PARENT`; the new process opens and reads. The supervisor waits for it.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    if clone_with(libc::CLONE_PARENT)? == 0 {
        slot.end(&open_and_read(&target.path, slot));
        leave();
    }
    Ok(())
}
