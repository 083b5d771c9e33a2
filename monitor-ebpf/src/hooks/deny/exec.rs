//! Programs, before they are executed.

use scopeward_abi::event::hook;

use super::actor::{Arguments, held};
use crate::hooks::exec;

/// `int security_bprm_check(struct linux_binprm *bprm)`, for the script and for its interpreter, before the point of
/// no return. Checked on 6.1 and 6.12.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_bprm_check")]
extern "C" fn deny_exec(arguments: Arguments) -> i32 {
    // SAFETY: the only argument.
    held(hook::EXEC, |actor| exec::check(actor, unsafe { *arguments }))
}
