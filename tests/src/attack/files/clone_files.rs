//! A sibling process that shares the descriptor table reads the descriptor after its opener has died.

use std::fs::File;
use std::io;

use nix::libc;

use super::accomplice::{clone_with, linger, steal_until_dead};
use super::target::{FileTarget, next_descriptor};
use crate::attack::slot::Slot;

/// `clone` with `CLONE_FILES`; one process opens, the other reads the descriptor that the opener will get.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let guess = next_descriptor()?;
    let opener = nix::unistd::getpid().as_raw();
    if clone_with(libc::CLONE_FILES)? == 0 {
        steal_until_dead(opener, slot, || slot.pread(guess));
    }
    slot.await_ready(1)?;
    let opened = File::open(&target.path);
    linger(opened.is_ok(), slot);
    opened.map(drop)
}
