//! Words that the daemon and the programs share: an array map in the daemon's own memory, because changing one bit by a
//! system call would lose what the programs change meanwhile.
#![expect(
    unsafe_code,
    reason = "mmap of a map, whose words are only ever changed by atomic instructions, here and in the kernel"
)]

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _},
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use aya::maps::MapData;
use nix::libc;

/// The words of an array map that was made with `BPF_F_MMAPABLE`.
pub(super) struct Words {
    at: NonNull<AtomicU64>,
    count: usize,
}

// SAFETY: a mapping of its own, which only atomic instructions go to, and which no thread owns.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// Maps them.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn of(data: &MapData) -> io::Result<Self> {
        let words = data.info().map_err(io::Error::other)?.max_entries();
        let count = usize::try_from(words).map_err(io::Error::other)?;
        // SAFETY: a new mapping, as long as the map's values; it keeps the map when the descriptor is closed.
        let at = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                count * size_of::<u64>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                data.fd().as_fd().as_raw_fd(),
                0,
            )
        };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = NonNull::new(at.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { at, count })
    }

    fn all(&self) -> &[AtomicU64] {
        // SAFETY: the mapping has as many words, and lives as long as this.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr(), self.count) }
    }

    /// Sets bits of a word; none where there is no such word.
    pub(super) fn set(&self, word: usize, bits: u64) {
        if let Some(word) = self.all().get(word) {
            word.fetch_or(bits, Ordering::SeqCst);
        }
    }

    /// Adds one to a word.
    pub(super) fn advance(&self, word: usize) {
        if let Some(word) = self.all().get(word) {
            word.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: the mapping of above, which nobody else has.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.count * size_of::<u64>()) };
    }
}
