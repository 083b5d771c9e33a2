//! Maps the file and copies its pages, without a read.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;

use nix::sys::mman::{MapFlags, ProtFlags, mmap};

use super::target::FileTarget;
use crate::attack::loot::DATA;
use crate::attack::slot::Slot;

/// Open, `mmap`, copy from the mapping.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let file = File::open(&target.path)?;
    let size = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let length = NonZeroUsize::new(size.min(DATA)).ok_or(io::ErrorKind::UnexpectedEof)?;
    // SAFETY: a new private mapping of an open file; it stays until the attacker exits.
    let pages = unsafe {
        mmap(
            None,
            length,
            ProtFlags::PROT_READ,
            MapFlags::MAP_PRIVATE,
            &file,
            0,
        )?
    };
    // SAFETY: `length` bytes of the mapping, all within the file, which only this test writes.
    slot.put(unsafe { std::slice::from_raw_parts(pages.as_ptr().cast(), length.get()) });
    Ok(())
}
