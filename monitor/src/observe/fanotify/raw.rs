//! The fanotify system calls. All `unsafe` of this tier that touches groups stands here.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::libc;

use super::arbiter::Answer;

/// `O_LARGEFILE` as the kernel knows it. libc's constant is 0 on 64-bit systems, as `open` implies
/// it there; `fanotify_init` does not, and opening the event's descriptor of a file above 2 GiB then
/// fails, which the kernel turns into a denial for everybody.
#[cfg(target_arch = "aarch64")]
const LARGE_FILE: u32 = 0o400_000;
#[cfg(not(target_arch = "aarch64"))]
const LARGE_FILE: u32 = 0o100_000;

/// The event's descriptor must not block either: a FIFO in a guarded tree would wait for its writer.
const EVENT_FLAGS: u32 =
    (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOATIME | libc::O_NONBLOCK) as u32 | LARGE_FILE;

/// Opens and exec-opens.
pub(super) const OPENS: u64 = libc::FAN_OPEN_PERM | libc::FAN_OPEN_EXEC_PERM;
/// Reads through descriptors that are open already.
pub(super) const READS: u64 = libc::FAN_ACCESS_PERM;
/// A directory's children as well.
pub(super) const ON_CHILD: u64 = libc::FAN_EVENT_ON_CHILD;
/// Directories as objects of events.
pub(super) const ON_DIR: u64 = libc::FAN_ONDIR;

/// Size of one event without information records.
pub(super) const EVENT_SIZE: usize = size_of::<libc::fanotify_event_metadata>();
const EVENT_VERSION: u8 = libc::FANOTIFY_METADATA_VERSION;

/// A fanotify group.
#[derive(Debug)]
pub(super) struct Group(OwnedFd);

/// The fixed part of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Length of the whole event with its records, in bytes.
    pub(super) len: usize,
    /// Where the records start.
    pub(super) body: usize,
    pub(super) mask: u64,
    /// Event descriptor, as a number of the reader's table; negative for none.
    pub(super) fd: RawFd,
    pub(super) pid: i32,
}

impl Group {
    /// A group whose openers wait for answers. The queue must be unlimited: past a limit the kernel
    /// allows without asking (`fanotify_handle_event`).
    pub(super) fn permission() -> io::Result<Self> {
        let queue = libc::FAN_UNLIMITED_QUEUE | libc::FAN_UNLIMITED_MARKS;
        init(libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK | queue)
    }

    /// A group that tells of changes by directory, name and, from 5.17 on, object.
    pub(super) fn notification() -> io::Result<Self> {
        let base = libc::FAN_CLASS_NOTIF | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK | libc::FAN_UNLIMITED_MARKS;
        init(base | libc::FAN_REPORT_DFID_NAME_TARGET)
            .or_else(|_| init(base | libc::FAN_REPORT_DFID_NAME | libc::FAN_REPORT_FID))
    }

    /// The group of a descriptor that was inherited.
    pub(super) fn inherited(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Adds `mask` to the mark of the object behind `object` (an `O_PATH` descriptor is enough).
    pub(super) fn add(&self, object: BorrowedFd<'_>, mask: u64) -> io::Result<()> {
        self.mark(libc::FAN_MARK_ADD, object, mask)
    }

    /// Takes `mask` out of the object's mark; an empty mark goes.
    pub(super) fn remove(&self, object: BorrowedFd<'_>, mask: u64) -> io::Result<()> {
        self.mark(libc::FAN_MARK_REMOVE, object, mask)
    }

    fn mark(&self, flags: u32, object: BorrowedFd<'_>, mask: u64) -> io::Result<()> {
        // fanotify_mark refuses O_PATH descriptors as such, but follows their link in /proc.
        let link = CString::new(format!("/proc/self/fd/{}", object.as_raw_fd()))?;
        // SAFETY: the descriptor is open, the string ends in NUL and outlives the call.
        let code =
            unsafe { libc::fanotify_mark(self.0.as_raw_fd(), flags, mask, libc::AT_FDCWD, link.as_ptr()) };
        check(code)
    }

    /// Takes every mark on inodes away. Openings that already wait go on waiting.
    pub(super) fn flush(&self) -> io::Result<()> {
        // SAFETY: with FAN_MARK_FLUSH the path is not read; null is what the manual says to give.
        let code = unsafe {
            libc::fanotify_mark(
                self.0.as_raw_fd(),
                libc::FAN_MARK_FLUSH,
                0,
                libc::AT_FDCWD,
                std::ptr::null(),
            )
        };
        check(code)
    }

    /// Reads waiting events; `WouldBlock` when there are none.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(&self.0, buffer)?)
    }

    /// Answers the event that was read as descriptor number `fd`, by whichever process: the kernel
    /// compares the number only (`process_access_response`). `NotFound` when nobody waits for it.
    pub(super) fn answer(&self, fd: RawFd, answer: Answer) -> io::Result<()> {
        let word = match answer {
            Answer::Allow => libc::FAN_ALLOW,
            Answer::Deny => libc::FAN_DENY,
        };
        let mut response = [0; 8];
        response[..4].copy_from_slice(&fd.to_ne_bytes());
        response[4..].copy_from_slice(&word.to_ne_bytes());
        nix::unistd::write(&self.0, &response)?;
        Ok(())
    }
}

impl AsFd for Group {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Takes the descriptor of an event that this process has just read.
pub(super) fn event_fd(head: Head) -> Option<OwnedFd> {
    // SAFETY: the kernel installed this descriptor in our table for this very event, and each event
    // is taken once.
    (head.fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(head.fd) })
}

/// The head of the event at the start of `bytes`, or `None` when there is none (left), or none of the
/// version we know.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let len = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let version = *bytes.get(4)?;
    let body = usize::from(u16::from_ne_bytes(bytes.get(6..8)?.try_into().ok()?));
    let known = version == EVENT_VERSION && body >= EVENT_SIZE && body <= len && len <= bytes.len();
    known.then_some(())?;
    Some(Head {
        len,
        body,
        mask: u64::from_ne_bytes(bytes.get(8..16)?.try_into().ok()?),
        fd: i32_at(bytes, 16)?,
        pid: i32_at(bytes, 20)?,
    })
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn init(flags: u32) -> io::Result<Group> {
    // SAFETY: no pointers; the result is checked before it is taken as a descriptor.
    let fd = unsafe { libc::fanotify_init(flags, EVENT_FLAGS) };
    check(fd)?;
    // SAFETY: a fresh descriptor that nobody else owns.
    Ok(Group(unsafe { OwnedFd::from_raw_fd(fd) }))
}

fn check(code: i32) -> io::Result<()> {
    if code < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
