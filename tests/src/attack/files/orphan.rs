//! Reads the file in a grandchild whose parent has gone, in a session (of the terminal) of its own.

use std::io;
use std::time::Duration;

use nix::unistd::{getpid, getppid, setsid};

use super::accomplice::{clone_with, leave};
use super::target::{FileTarget, open_and_read, wait_for};
use crate::attack::slot::Slot;

/// Forks twice, waits until the middle process is gone, opens and reads.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let middle = clone_with(0)?;
    if middle != 0 {
        return wait_for(middle).map(drop);
    }
    let parent = getpid();
    setsid()?;
    if clone_with(0)? != 0 {
        leave();
    }
    while getppid() == parent {
        std::thread::sleep(Duration::from_micros(100));
    }
    slot.end(&open_and_read(&target.path, slot));
    leave();
}
