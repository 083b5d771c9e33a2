//! Files, before they are opened.

use scopeward_abi::{
    event::{flag, hook},
    policy::response,
};

use super::actor::{Arguments, held};
use crate::{
    hooks::{escape, file_use},
    kernel::{
        offsets::{of, read},
        task,
    },
    respond::Power,
};

/// `int security_file_open(struct file *file)`: every way to an open file comes by here, whatever the call: `openat2`,
/// a handle, a reopened `O_PATH`, io_uring with and without a descriptor, 32-bit calls. Not `O_PATH` itself.
/// Checked on 6.1 and 6.12.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_file_open")]
extern "C" fn deny_file_open(arguments: Arguments) -> i32 {
    held(hook::OPEN, |actor| {
        /// `__FMODE_EXEC`: the kernel opens it to execute it, and nobody gets a descriptor. No call can ask for it.
        const EXECUTES: u32 = 1 << 5;
        // SAFETY: the only argument.
        let file = unsafe { *arguments };
        if read::<u32>(file, of::FILE_FLAGS()).is_ok_and(|flags| flags & EXECUTES != 0) {
            return response::ALLOW;
        }
        if task::is_compat(task::current()) {
            actor.flags |= flag::COMPAT;
        }
        let applied = escape::opened(actor, file);
        if applied >= response::DENY {
            return applied;
        }
        actor.hook = hook::OPEN;
        file_use::used(actor, file, Power::Deny)
    })
}
