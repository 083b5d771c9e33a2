//! A second process that waits for the opener's descriptor: started before the opener acts, it lives on when
//! the opener is killed.

use std::io;
use std::time::{Duration, Instant};

use nix::libc;

use crate::attack::slot::Slot;
use crate::patience::patient;

/// How long an accomplice goes on after the opener's death.
const AFTER_DEATH: Duration = Duration::from_millis(3);
/// How long an accomplice goes on at all.
const PATIENCE: Duration = Duration::from_secs(3);

/// Starts a child with `flags` of `clone` (0: as `fork` does). Returns its process id, and 0 in the child.
///
/// # Errors
/// Those of `clone`.
pub fn clone_with(flags: libc::c_int) -> io::Result<libc::pid_t> {
    let flags = i64::from(flags | libc::SIGCHLD);
    // SAFETY: without CLONE_VM or a stack this is a fork; the attacker has one thread, so the child may go on as it is.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    libc::pid_t::try_from(pid).map_err(io::Error::other)
}

/// Ends this process at once, without anything that the parent's copy would do too.
pub fn leave() -> ! {
    // SAFETY: ends the process; nothing of it is used afterwards.
    unsafe { libc::_exit(0) }
}

/// Reports ready, then calls `steal` over and over until it has obtained something, or the opener (the
/// parent) has been dead for a while; then leaves.
pub fn steal_until_dead(
    opener: libc::pid_t,
    slot: Slot<'_>,
    mut steal: impl FnMut() -> io::Result<usize>,
) -> ! {
    slot.report_ready();
    let begun = Instant::now();
    let mut died: Option<Instant> = None;
    loop {
        for _ in 0..64 {
            if steal().is_ok_and(|bytes| bytes > 0) {
                leave();
            }
        }
        if died.is_none() && nix::unistd::getppid().as_raw() != opener {
            died = Some(Instant::now());
        }
        if died.is_some_and(|at| at.elapsed() > patient(AFTER_DEATH)) || begun.elapsed() > patient(PATIENCE) {
            leave();
        }
    }
}

/// Gives accomplices time to use what this process has opened, until they have, or to try where it opened nothing.
pub fn linger(opened: bool, slot: Slot<'_>) {
    let begun = Instant::now();
    let bound = patient(if opened { PATIENCE } else { AFTER_DEATH });
    while begun.elapsed() < bound && slot.data().first() == Some(&0) {
        std::thread::sleep(Duration::from_micros(100));
    }
}
