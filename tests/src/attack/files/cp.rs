//! Has `cp` copy the file, and reads the copy.

use std::io;
use std::process::{Command, Stdio};

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// Runs `cp FILE COPY`, then opens and reads the copy, whatever `cp` said.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let copy = target.aside("copy");
    Command::new("/bin/cp")
        .arg(&target.path)
        .arg(&copy)
        .stderr(Stdio::null())
        .status()?;
    open_and_read(&copy, slot)
}
