//! Whom the scheduler serves first: others wait for these threads, so they wait for nobody.

use nix::libc;

/// Makes the calling thread real-time, at the lowest such priority; where that is not allowed gives
/// it the best nice value, where that is not allowed nothing. Processes that it starts are ordinary.
pub(super) fn raise() {
    if !set(libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, 1) {
        // SAFETY: no pointers; on Linux this acts on the calling thread alone.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) };
    }
}

/// Makes it ordinary again: long work must not keep a processor from others.
pub(super) fn lower() {
    set(libc::SCHED_OTHER, 0);
}

fn set(policy: i32, priority: i32) -> bool {
    // The kernel's `struct sched_param` is this number alone; musl has the function, and it always refuses.
    // SAFETY: 0 is the calling thread, the parameter outlives the call.
    unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, policy, &raw const priority) == 0 }
}
