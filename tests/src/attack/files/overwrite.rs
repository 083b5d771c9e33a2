//! Changes the file's content through a descriptor opened for writing only.

use std::fs::OpenOptions;
use std::io::{self, Write};

use super::target::FileTarget;
use crate::attack::slot::Slot;

/// Open for writing, then write.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, _slot: Slot<'_>) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(&target.path)?
        .write_all(b"overwritten by the attacker")
}
