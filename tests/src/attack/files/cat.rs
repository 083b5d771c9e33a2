//! Has `cat` print the file.

use std::io;
use std::process::Command;

use super::target::{FileTarget, run_into_loot};
use crate::attack::slot::Slot;

/// Runs `/bin/cat FILE`.
///
/// # Errors
/// Those of starting it; `Other` where it fails.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    run_into_loot(Command::new("/bin/cat").arg(&target.path), slot)
}
