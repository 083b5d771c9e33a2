//! Other processes, before they are traced, read or signalled.

use scopeward_abi::{event::hook, policy::response};

use super::actor::{Arguments, held};
use crate::{
    hooks::process,
    kernel::{
        call,
        offsets::{of, read},
        task,
    },
};

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
        // SAFETY: the first, the third and the fourth argument.
        let (target, signal, credentials) =
            unsafe { (*arguments, *arguments.add(2) & 0xffff_ffff, *arguments.add(3)) };
        // With credentials of another the kernel sends it for somebody who asked long ago.
        let others = credentials != 0 && read(task::current(), of::TASK_CRED()) != Ok(credentials);
        if signal == 0 || others {
            return response::ALLOW;
        }
        process::signals(actor, target, signal)
    })
}
