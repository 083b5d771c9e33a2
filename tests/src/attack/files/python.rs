//! Has a one-line Python program print the file.

use std::io;
use std::process::Command;

use super::target::{FileTarget, run_into_loot};
use crate::attack::slot::Slot;

const PROGRAM: &str = "import os,sys;os.write(1,os.read(os.open(sys.argv[1],os.O_RDONLY),128))";

/// Runs `python3 -c PROGRAM FILE`.
///
/// # Errors
/// Those of starting it; `Other` where it fails.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    run_into_loot(
        Command::new("/usr/bin/python3")
            .args(["-I", "-S", "-c", PROGRAM])
            .arg(&target.path),
        slot,
    )
}
