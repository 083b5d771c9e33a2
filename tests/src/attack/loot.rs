//! What an attack obtained, in memory that the harness shares: it stays when the attacker is killed
//! at any moment, and the kernel itself writes into it when a stolen descriptor is read.

use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::slot::Slot;

/// Bytes of a slot.
const SLOT: usize = 256;
/// Where a slot's data begins; before it stand the words that say how the attempt went.
pub(super) const DATA_AT: usize = 64;
/// Bytes of data that a slot holds.
pub const DATA: usize = SLOT - DATA_AT;

/// A file of slots, one for each attempt, mapped shared.
pub struct Loot {
    path: PathBuf,
    base: NonNull<u8>,
    slots: usize,
}

// SAFETY: the mapping is plain shared memory that lives as long as the value; its words are read and
// written atomically, its data only by copies in and out.
unsafe impl Send for Loot {}
// SAFETY: as above.
unsafe impl Sync for Loot {}

impl Loot {
    /// Makes the file at `path` with `slots` empty slots (at least 1).
    ///
    /// # Errors
    /// Those of creating, sizing and mapping a file.
    pub fn create(path: &Path, slots: usize) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        file.set_len((slots.max(1) * SLOT) as u64)?;
        Self::map(path, &file)
    }

    /// Maps a file that [`Loot::create`] made.
    ///
    /// # Errors
    /// Those of opening and mapping a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::map(path, &OpenOptions::new().read(true).write(true).open(path)?)
    }

    fn map(path: &Path, file: &File) -> io::Result<Self> {
        let bytes = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let length = NonZeroUsize::new(bytes).ok_or(io::ErrorKind::InvalidData)?;
        let prot = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping of a file that nobody truncates while it is mapped.
        let base = unsafe { mmap(None, length, prot, MapFlags::MAP_SHARED, file, 0)? };
        Ok(Self {
            path: path.to_owned(),
            base: base.cast(),
            slots: bytes / SLOT,
        })
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Where the mapping begins.
    pub(super) const fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// The file that is mapped.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The slot of attempt `index`.
    ///
    /// # Panics
    /// Where there is no such slot.
    #[must_use]
    pub fn slot(&self, index: usize) -> Slot<'_> {
        assert!(index < self.slots, "slot {index} of {}", self.slots);
        Slot::new(self, index * SLOT)
    }
}

impl Drop for Loot {
    fn drop(&mut self) {
        // SAFETY: base and length are those of the mapping made in `map`; slots borrow the value.
        let unmapped = unsafe { munmap(self.base.cast(), self.slots * SLOT) };
        debug_assert!(unmapped.is_ok(), "munmap: {unmapped:?}");
    }
}
