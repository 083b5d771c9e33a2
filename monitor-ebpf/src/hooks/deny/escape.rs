//! Ways out of the session, and ways to see things under other names, before they are taken.

use scopeward_abi::{
    event::{hook, loss},
    policy::response,
    syscall::class,
};

use super::actor::{Arguments, held};
use crate::{
    emit,
    hooks::escape,
    kernel::call,
    respond::{self, Power},
    session::{self, ids},
};

/// A mount, or another root.
#[inline(always)]
fn mounts() -> i32 {
    held(hook::ESCAPE, |actor| {
        escape::called(actor, class::MOUNT, (call::current().number, 0), Power::Deny)
    })
}

/// `int security_sb_mount(const char *dev_name, const struct path *path, const char *type, unsigned long flags, void
/// *data)`. Checked on 6.1, 6.12, 6.18 and 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_sb_mount")]
extern "C" fn deny_mount(_arguments: Arguments) -> i32 {
    mounts()
}

/// `int security_move_mount(const struct path *from_path, const struct path *to_path)`. Checked on 6.1, 6.12, 6.18 and
/// 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_move_mount")]
extern "C" fn deny_move_mount(_arguments: Arguments) -> i32 {
    mounts()
}

/// `int security_sb_pivotroot(const struct path *old_path, const struct path *new_path)`. Checked on 6.1, 6.12, 6.18 and
/// 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_sb_pivotroot")]
extern "C" fn deny_pivot_root(_arguments: Arguments) -> i32 {
    mounts()
}

/// `int security_create_user_ns(const struct cred *cred)`. Checked on 6.1, 6.12, 6.18 and 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_create_user_ns")]
extern "C" fn deny_users(_arguments: Arguments) -> i32 {
    held(hook::ESCAPE, |actor| escape::users(actor, &call::current()))
}

/// `int security_task_alloc(struct task_struct *task, unsigned long clone_flags)` (7.x: `u64`). Checked on 6.1, 6.12,
/// 6.18 and 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_task_alloc")]
extern "C" fn deny_clone(arguments: Arguments) -> i32 {
    // SAFETY: the second argument.
    let flags = unsafe { *arguments.add(1) };
    /// `CLONE_THREAD`.
    const THREAD: u64 = 0x0001_0000;
    if flags & THREAD != 0 && flags & escape::ELSEWHERE == 0 {
        return 0;
    }
    held(hook::ESCAPE, |actor| {
        if flags & THREAD == 0 && !session::has_room(actor) {
            // As at the end of the fork, where nobody looks at the child's first step: neither goes on.
            emit::lost(hook::FORK, loss::MAP);
            respond::kill(hook::FORK);
            return response::KILL;
        }
        if flags & escape::ELSEWHERE == 0 {
            return response::ALLOW;
        }
        escape::clones(actor, flags)
    })
}

/// `int security_capable(const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts)`. `setns`,
/// `unshare`, `chroot`, `mount_setattr` and `fsmount` have no hook of their own on every kernel; each asks for one of
/// two capabilities. Checked on 6.1, 6.12, 6.18 and 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_capable")]
extern "C" fn deny_capable(arguments: Arguments) -> i32 {
    const CHROOT: u32 = 18;
    const ADMIN: u32 = 21;
    // SAFETY: the third argument.
    let capability = unsafe { *arguments.add(2) } as u32;
    if capability != CHROOT && capability != ADMIN {
        return 0;
    }
    if !session::is_marked(ids().0) {
        return 0;
    }
    let made = call::current();
    if made.class < class::SETNS || made.class > class::MOUNT {
        return 0;
    }
    held(hook::ESCAPE, |actor| {
        escape::asks(actor, &made, capability == CHROOT)
    })
}

/// `int security_bpf(int cmd, union bpf_attr *attr, unsigned int size)` (6.16 added `bool kernel`). Checked on 6.1,
/// 6.12, 6.18 and 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_bpf")]
extern "C" fn deny_bpf(arguments: Arguments) -> i32 {
    held(hook::ESCAPE, |actor| {
        // SAFETY: the first argument.
        let command = unsafe { *arguments } & 0xffff_ffff;
        if command > 63 {
            return response::ALLOW;
        }
        escape::called(actor, class::BPF, (0, command), Power::Deny)
    })
}
