//! Other processes, before they are traced, read or signalled.

use scopeward_abi::{event::hook, policy::response};

use super::actor::{Arguments, held};
use crate::{hooks::process, kernel::call};

/// `int security_ptrace_access_check(struct task_struct *child, unsigned int mode)`. Checked on 6.1, 6.12, 6.18 and
/// 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_ptrace_access_check")]
extern "C" fn deny_trace(arguments: Arguments) -> i32 {
    held(hook::PROCESS, |actor| {
        // SAFETY: the first argument.
        process::traced(actor, unsafe { *arguments }, &call::current())
    })
}

/// `int security_task_kill(struct task_struct *p, struct kernel_siginfo *info, int sig, const struct cred *cred)`: of
/// every call that signals, and of `kill -1` once for each process. Signal 0 asks whether there is one. Checked on 6.1,
/// 6.12, 6.18 and 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_task_kill")]
extern "C" fn deny_signal(arguments: Arguments) -> i32 {
    held(hook::PROCESS, |actor| {
        // SAFETY: the first and the third argument.
        let (target, signal) = unsafe { (*arguments, *arguments.add(2) & 0xffff_ffff) };
        if signal == 0 {
            return response::ALLOW;
        }
        process::signals(actor, target, signal)
    })
}
