//! Files, before they are opened.

use scopeward_abi::{
    event::{flag, hook, kind},
    policy::response,
};

use super::{
    actor::{Arguments, held},
    network,
};
use crate::{
    hooks::{escape, file_use},
    kernel::{
        file,
        offsets::{Address, Memory as _, Typed, of},
        socket, task,
    },
    respond::Power,
};

/// `int security_file_receive(struct file *file)`: descriptors that come in a message, by `pidfd_getfd`, from a seccomp
/// supervisor; asked of whoever gets them.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_file_receive")]
extern "C" fn deny_receive(arguments: Arguments) -> i32 {
    held(hook::RECEIVE, |actor| {
        actor.flags |= flag::RECEIVED;
        // SAFETY: the only argument.
        let file = unsafe { *arguments };
        // What a socket can reach is what it is connected to.
        if let Some(sock) = socket::of_file(file) {
            return network::connected(actor, sock, kind::CONNECT);
        }
        match Typed::read::<Address>(file, of::FILE_PATH() + of::PATH_MNT()) {
            Ok(mount) if file::is_internal(mount) => response::ALLOW,
            _ => file_use::used::<Typed>(actor, file, Power::Deny),
        }
    })
}

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
        if Typed::read::<u32>(file, of::FILE_FLAGS()).is_ok_and(|flags| flags & EXECUTES != 0) {
            return response::ALLOW;
        }
        if task::is_compat() {
            actor.flags |= flag::COMPAT;
        }
        let applied = escape::opened(actor, file);
        if applied >= response::DENY {
            return applied;
        }
        actor.hook = hook::OPEN;
        file_use::used::<Typed>(actor, file, Power::Deny)
    })
}
