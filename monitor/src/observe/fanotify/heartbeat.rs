//! The page that the daemon shares with its watchdog process.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};

const PAGE: usize = 4096;

/// What both sides write and read. Zeroes are its beginning.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Beat {
    /// Goes up with each thing the responder has done.
    pub(super) progress: AtomicU64,
    /// Goes up each time marks are set (again): the watchdog starts anew.
    pub(super) arms: AtomicU64,
    /// How often the watchdog took the marks away.
    pub(super) releases: AtomicU64,
    /// Openings that the watchdog let through.
    pub(super) released: AtomicU64,
    /// 1 while the responder sleeps in `poll` with nothing read and unanswered.
    pub(super) asleep: AtomicU32,
    /// 1 while anything is marked; else the watchdog sleeps.
    pub(super) armed: AtomicU32,
    /// The highest number an event's descriptor had in the responder.
    pub(super) highest: AtomicI32,
    pad: AtomicU32,
}

/// The page, mapped.
#[derive(Debug)]
pub(super) struct Page {
    at: NonNull<Beat>,
    file: OwnedFd,
}

// SAFETY: the page is only reached as `&Beat`, whose fields are atomics.
unsafe impl Send for Page {}
// SAFETY: as above.
unsafe impl Sync for Page {}

impl Page {
    /// A fresh page of zeroes.
    pub(super) fn create() -> io::Result<Self> {
        let file = memfd_create(c"scopeward-heartbeat", MFdFlags::MFD_CLOEXEC)?;
        nix::unistd::ftruncate(&file, PAGE as i64)?;
        Self::map(file)
    }

    /// Maps a page that was inherited as `file`, of at least 4096 bytes.
    pub(super) fn map(file: OwnedFd) -> io::Result<Self> {
        if object_len(&file)? < PAGE as i64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // SAFETY: a new mapping at an address of the kernel's choice; the file is long enough for it.
        let at = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { at, file })
    }

    /// The shared values.
    pub(super) fn beat(&self) -> &Beat {
        // SAFETY: the mapping lives as long as `self`, is aligned to a page and larger than a `Beat`,
        // and any bytes are valid atomics.
        unsafe { self.at.as_ref() }
    }

    /// The memory file, to hand on.
    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made in `map`, and no `&Beat` outlives `self`.
        unsafe { libc::munmap(self.at.as_ptr().cast(), PAGE) };
    }
}

impl Beat {
    /// One more thing done.
    pub(super) fn step(&self) {
        self.progress.fetch_add(1, Ordering::SeqCst);
    }
}

fn object_len(file: &OwnedFd) -> io::Result<i64> {
    Ok(nix::sys::stat::fstat(file.as_fd())?.st_size)
}
