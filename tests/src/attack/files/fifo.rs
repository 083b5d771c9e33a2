//! One process reads the file and hands its content to another through a FIFO.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use nix::sys::stat::Mode;

use super::accomplice::{clone_with, leave};
use super::target::{FileTarget, obtained};
use crate::attack::loot::DATA;
use crate::attack::slot::Slot;

fn hand_over(target: &FileTarget, fifo: &std::path::Path) -> io::Result<()> {
    let mut into = OpenOptions::new().write(true).open(fifo)?;
    let mut content = vec![0; DATA];
    let read = File::open(&target.path)?.read(&mut content)?;
    into.write_all(content.get(..read).unwrap_or_default())
}

/// `mkfifo`, a child that opens the file and writes into the FIFO, a parent that reads from it.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let fifo = target.aside("fifo");
    nix::unistd::mkfifo(&fifo, Mode::S_IRWXU)?;
    if clone_with(0)? == 0 {
        slot.end(&hand_over(target, &fifo));
        leave();
    }
    let mut content = vec![0; DATA];
    let read = File::open(&fifo)?.read(&mut content)?;
    slot.put(content.get(..read).unwrap_or_default());
    obtained(read)
}
