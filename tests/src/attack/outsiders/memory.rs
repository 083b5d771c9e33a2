//! Another process's memory and secrets.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use nix::libc;

use super::target::{OutsiderTarget, done};

fn read(what: &str, target: &OutsiderTarget) -> io::Result<()> {
    let mut bytes = [0; 8];
    File::open(format!("/proc/{}/{what}", target.pid))?
        .read(&mut bytes)
        .map(drop)
}

/// Reads `/proc/PID/environ`.
///
/// # Errors
/// Those of open and read.
pub fn environ(target: &OutsiderTarget) -> io::Result<()> {
    read("environ", target)
}

/// Reads `/proc/PID/maps`.
///
/// # Errors
/// Those of open and read.
pub fn maps(target: &OutsiderTarget) -> io::Result<()> {
    read("maps", target)
}

/// Reads `/proc/PID/task/PID/environ`.
///
/// # Errors
/// Those of open and read.
pub fn environ_of_thread(target: &OutsiderTarget) -> io::Result<()> {
    read(&format!("task/{}/environ", target.pid), target)
}

/// Reads its memory through `/proc/PID/mem`.
///
/// # Errors
/// Those of open and read.
pub fn mem(target: &OutsiderTarget) -> io::Result<()> {
    let mut bytes = [0; 8];
    File::open(format!("/proc/{}/mem", target.pid))?.read_exact_at(&mut bytes, target.address)
}

/// Lists `/proc/PID/fd`.
///
/// # Errors
/// Those of the calls.
pub fn descriptors(target: &OutsiderTarget) -> io::Result<()> {
    std::fs::read_dir(format!("/proc/{}/fd", target.pid))?
        .next()
        .transpose()
        .map(drop)
}

/// `process_vm_readv`.
///
/// # Errors
/// Those of the call.
pub fn vm_read(target: &OutsiderTarget) -> io::Result<()> {
    let mut bytes = [0u8; 8];
    let here = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: 8,
    };
    let there = libc::iovec {
        iov_base: target.address as *mut libc::c_void,
        iov_len: 8,
    };
    // SAFETY: the local buffer lives and has 8 bytes; the remote one is the kernel's to check.
    let read = unsafe { libc::process_vm_readv(target.pid, &raw const here, 1, &raw const there, 1, 0) };
    done(i64::try_from(read).map_err(io::Error::other)?).map(drop)
}
