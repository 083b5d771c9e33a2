//! Runs the guarded program by its name.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::target::FileTarget;
use crate::attack::slot::Slot;

/// `execve`, with the loot as standard output. Returns only where it failed.
///
/// # Errors
/// Those of `execve`.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    Err(Command::new(&target.path).stdout(slot.sink()?).exec())
}
