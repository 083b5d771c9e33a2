//! Opens the file by its handle, without any name.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::libc;

use super::target::{FileTarget, obtained};
use crate::attack::slot::Slot;

/// `struct file_handle` with room for the largest handle.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    data: [u8; 128],
}

/// `name_to_handle_at` (which opens nothing), `open_by_handle_at`, then read.
///
/// # Errors
/// Those of the calls; `EPERM` without `CAP_DAC_READ_SEARCH`.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let path = target.c_path()?;
    let mount = File::open(&target.aside)?;
    let mut handle = Handle {
        bytes: 128,
        kind: 0,
        data: [0; 128],
    };
    let mut mount_id = 0_i32;
    // SAFETY: path is a C string, handle has the room it states, mount_id is a live integer.
    let named = unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            path.as_ptr(),
            &raw mut handle,
            &raw mut mount_id,
            0,
        )
    };
    if named < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was filled by the kernel; mount is an open descriptor of the same file system.
    let opened = unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            mount.as_raw_fd(),
            &raw mut handle,
            libc::O_RDONLY,
        )
    };
    let number = i32::try_from(opened).map_err(io::Error::other)?;
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that the kernel just gave and nobody else owns.
    let file = unsafe { OwnedFd::from_raw_fd(number) };
    obtained(slot.pread(file.as_raw_fd())?)
}
