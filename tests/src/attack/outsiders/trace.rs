//! Tracing another process, and taking its descriptors.

use std::io;

use nix::libc;

use super::target::{OutsiderTarget, done};

fn ptrace(request: libc::c_uint, pid: libc::pid_t) -> io::Result<()> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: both requests take no address and no data.
    done(unsafe { libc::ptrace(request, pid, none, none) }).map(drop)
}

/// `PTRACE_SEIZE`.
///
/// # Errors
/// Those of the call.
pub fn seize(target: &OutsiderTarget) -> io::Result<()> {
    ptrace(libc::PTRACE_SEIZE, target.pid)
}

/// `PTRACE_ATTACH`.
///
/// # Errors
/// Those of the call.
pub fn attach(target: &OutsiderTarget) -> io::Result<()> {
    ptrace(libc::PTRACE_ATTACH, target.pid)
}

/// `pidfd_open`.
///
/// # Errors
/// Those of the call.
pub fn pidfd(pid: libc::pid_t) -> io::Result<libc::c_long> {
    // SAFETY: two integers.
    done(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
}

/// `pidfd_getfd` of its standard input.
///
/// # Errors
/// Those of the calls.
pub fn getfd(target: &OutsiderTarget) -> io::Result<()> {
    let pidfd = pidfd(target.pid)?;
    // SAFETY: three integers.
    done(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, 0, 0) }).map(drop)
}
