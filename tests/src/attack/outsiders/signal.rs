//! Signals to another process: one that it ignores, so that the victim can be used again.

use std::io;

use nix::libc;

use super::target::{OutsiderTarget, done};
use super::trace::pidfd;

const SIGNAL: libc::c_int = libc::SIGWINCH;

/// A record as `sigqueue` makes it.
fn record() -> libc::siginfo_t {
    // SAFETY: all zeros is a valid record.
    let mut record: libc::siginfo_t = unsafe { std::mem::zeroed() };
    record.si_signo = SIGNAL;
    record.si_code = -1;
    record
}

/// `kill`.
///
/// # Errors
/// Those of the call.
pub fn kill(target: &OutsiderTarget) -> io::Result<()> {
    // SAFETY: two integers.
    done(unsafe { libc::kill(target.pid, SIGNAL) }.into()).map(drop)
}

/// `tgkill`.
///
/// # Errors
/// Those of the call.
pub fn tgkill(target: &OutsiderTarget) -> io::Result<()> {
    // SAFETY: three integers.
    done(unsafe { libc::syscall(libc::SYS_tgkill, target.pid, target.pid, SIGNAL) }).map(drop)
}

/// `rt_sigqueueinfo`.
///
/// # Errors
/// Those of the call.
pub fn queue(target: &OutsiderTarget) -> io::Result<()> {
    let record = record();
    // SAFETY: the record lives.
    done(unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, target.pid, SIGNAL, &raw const record) }).map(drop)
}

/// The same with the code of a timer, which the kernel takes for its own elsewhere.
///
/// # Errors
/// Those of the call.
pub fn forged(target: &OutsiderTarget) -> io::Result<()> {
    let mut record = record();
    record.si_code = -2;
    // SAFETY: the record lives.
    done(unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, target.pid, SIGNAL, &raw const record) }).map(drop)
}

/// `pidfd_send_signal`.
///
/// # Errors
/// Those of the calls.
pub fn by_pidfd(target: &OutsiderTarget) -> io::Result<()> {
    let pidfd = pidfd(target.pid)?;
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: integers and no record.
    done(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, SIGNAL, none, 0) }).map(drop)
}

/// `pidfd_send_signal` with a record.
///
/// # Errors
/// Those of the calls.
pub fn by_pidfd_with_record(target: &OutsiderTarget) -> io::Result<()> {
    let (pidfd, record) = (pidfd(target.pid)?, record());
    // SAFETY: the record lives.
    done(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, SIGNAL, &raw const record, 0) }).map(drop)
}
