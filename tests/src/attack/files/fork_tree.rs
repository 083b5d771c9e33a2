//! Reads the file in every leaf of a tree of processes.

use std::io;

use super::accomplice::{clone_with, leave};
use super::target::{FileTarget, open_and_read, wait_for};
use crate::attack::slot::Slot;

/// Each process of a generation makes this many.
const FAN: usize = 2;
/// Generations; the last one has `FAN` to the power of this many leaves.
const GENERATIONS: usize = 3;

fn grow(target: &FileTarget, slot: Slot<'_>, generations: usize) -> io::Result<()> {
    if generations == 0 {
        return open_and_read(&target.path, slot);
    }
    for _ in 0..FAN {
        if clone_with(0)? == 0 {
            slot.end(&grow(target, slot, generations - 1));
            leave();
        }
    }
    for _ in 0..FAN {
        wait_for(-1)?;
    }
    Ok(())
}

/// A tree of forks whose leaves open and read.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    grow(target, slot, GENERATIONS)
}
