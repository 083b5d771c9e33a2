//! Signals by pidfd: never to a process that took over the number.

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

use nix::{libc, sys::signal::Signal};

/// Sends a signal to a process, if `is_it` still holds once a descriptor for the process is held: what was checked
/// then is what is signalled. `Ok(false)` where it does not hold, or the process is gone.
///
/// # Errors
/// What the kernel says, other than that there is no such process.
pub fn send(pid: u32, signal: Signal, is_it: impl FnOnce() -> bool) -> io::Result<bool> {
    let number = libc::pid_t::try_from(pid).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: a system call with numbers only.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, number, 0) };
    if fd < 0 {
        return gone();
    }
    let fd = i32::try_from(fd).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the descriptor is new and ours.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    if !is_it() {
        return Ok(false);
    }
    // SAFETY: the descriptor is open, and the information is left to the kernel.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            fd.as_raw_fd(),
            signal as i32,
            std::ptr::null::<()>(),
            0,
        )
    };
    if sent < 0 { gone() } else { Ok(true) }
}

fn gone() -> io::Result<bool> {
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::ESRCH) {
        Ok(false)
    } else {
        Err(error)
    }
}
