//! Runs the guarded program through a descriptor that reads nothing (`O_PATH`).

use std::io;

use nix::fcntl::{AtFlags, OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{dup2_stdout, execveat};

use super::target::FileTarget;
use crate::attack::slot::Slot;

/// Open with `O_PATH`, `execveat` with `AT_EMPTY_PATH`, the loot as standard output. Returns only where it failed.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let program = open(&target.path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    dup2_stdout(slot.sink()?)?;
    let argv = [c"program"];
    let none: [&std::ffi::CStr; 0] = [];
    match execveat(&program, c"", &argv, &none, AtFlags::AT_EMPTY_PATH)? {}
}
