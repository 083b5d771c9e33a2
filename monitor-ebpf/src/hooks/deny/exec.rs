//! Programs, before they are executed.

use scopeward_abi::event::hook;

use super::actor::{Arguments, held};
use crate::hooks::{exec, map};

/// `int security_mmap_file(struct file *file, unsigned long prot, unsigned long flags)`; the LSM hook has what was asked
/// for as `prot`, and what is given as another argument behind it. Outside sessions and for data: nothing.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_mmap_file")]
extern "C" fn deny_map(arguments: Arguments) -> i32 {
    /// `PROT_EXEC`.
    const EXECUTABLE: u64 = 4;
    // SAFETY: the first two arguments.
    let (file, access) = unsafe { (*arguments, *arguments.add(1)) };
    if file == 0 || access & EXECUTABLE == 0 {
        return 0;
    }
    held(hook::EXEC, |actor| map::executable(actor, file))
}

/// `int security_bprm_check(struct linux_binprm *bprm)`, for the script and for its interpreter, before the point of
/// no return. Checked on 6.1 and 6.12.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_bprm_check")]
extern "C" fn deny_exec(arguments: Arguments) -> i32 {
    // SAFETY: the only argument.
    held(hook::EXEC, |actor| exec::check(actor, unsafe { *arguments }))
}
