//! Ways out of the session, ways to see things under other names, and bpf.

use aya_ebpf::{
    helpers::generated::bpf_probe_read_kernel_str, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use scopeward_abi::{
    event::{Other, call, hook, kind, when},
    policy::{Policy, response},
    syscall::class,
};

use crate::{
    hooks::act::{self, NOTHING},
    kernel::{
        offsets::{Address, of, read},
        task,
    },
    maps::POLICIES,
    respond::Power,
    session::{self, Actor, ids},
};

fn policy(actor: &Actor) -> Option<&'static Policy> {
    // SAFETY: written whole by the daemon.
    unsafe { POLICIES.get(&actor.member.policy) }
}

const fn what(kind: u8) -> u32 {
    (kind as u32) << 8 | when::BEFORE_USE as u32
}

/// The exit of a system call that did not fail; `number` is the call's.
#[inline(always)]
pub fn called(actor: &mut Actor, of_call: u8, number: u64, first: u64) {
    /// `CLONE_NEWNS` and `CLONE_NEWUSER`: things can be seen under other names there.
    const OTHER_NAMES: u64 = 0x0002_0000 | 0x1000_0000;
    /// `BPF_OBJ_GET`, `BPF_PROG_DETACH`, `BPF_PROG_GET_NEXT_ID`, `BPF_MAP_GET_NEXT_ID`, `BPF_PROG_GET_FD_BY_ID`,
    /// `BPF_MAP_GET_FD_BY_ID`, `BPF_LINK_GET_FD_BY_ID`, `BPF_LINK_GET_NEXT_ID`, `BPF_LINK_DETACH`: what leads to
    /// programs and maps that others have loaded.
    const FINDS: u64 = 1 << 7 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 30 | 1 << 31 | 1 << 34;
    let Some(policy) = policy(actor) else { return };
    let (entry, of_kind, by, detail) = match of_call {
        class::SETNS => (policy.leave, kind::NAMESPACE, call::SETNS, 0),
        class::UNSHARE if first & OTHER_NAMES != 0 => {
            (policy.mount, kind::NAMESPACE, call::UNSHARE, first & OTHER_NAMES)
        }
        class::MOUNT => (policy.mount, kind::MOUNT, call::MOUNT, number),
        class::BPF if FINDS >> (first & 63) & 1 != 0 => (policy.tamper, kind::TAMPER, call::BPF, first),
        _ => return,
    };
    let other = Other {
        call: by,
        detail,
        ..NOTHING
    };
    actor.hook = hook::ESCAPE;
    act::judge(actor, &other, entry, what(of_kind), Power::Signal);
}

/// A child that was cloned into other mount or user namespaces. True where it has to end.
#[inline(always)]
pub fn cloned(actor: &mut Actor, child: Address, tgid: u32) -> bool {
    let parent = task::current();
    let users = |task: Address| {
        let cred: Address = read(task, of::TASK_CRED())?;
        read::<Address>(cred, of::CRED_USER_NS())
    };
    let mounts = |task: Address| {
        let proxy: Address = read(task, of::TASK_NSPROXY())?;
        read::<Address>(proxy, of::NSPROXY_MNT())
    };
    if users(parent) == users(child) && mounts(parent) == mounts(child) {
        return false;
    }
    let Some(policy) = policy(actor) else { return false };
    let other = Other {
        pid: tgid,
        call: call::CLONE,
        ..NOTHING
    };
    let hook = actor.hook;
    actor.hook = hook::ESCAPE;
    let applied = act::judge(actor, &other, policy.mount, what(kind::NAMESPACE), Power::Signal);
    actor.hook = hook;
    applied == response::KILL
}

/// `TP_PROTO(struct cgroup *dst_cgrp, const char *path, struct task_struct *task, bool threadgroup)`, in the task that
/// moves another, or itself. Checked on 6.18. Membership follows the process tree and stays; leaving its cgroup takes a
/// process out of what its service manager, and a freeze by cgroup, knows of it.
#[btf_tracepoint(function = "cgroup_attach_task")]
pub fn moved(ctx: BtfTracePointContext) -> i32 {
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        return 0;
    };
    let Ok(tgid) = task::tgid(ctx.arg::<*const u8>(2) as Address) else {
        return 0;
    };
    let Some(mut actor) = Actor::of(member, ids, hook::ESCAPE) else {
        return 0;
    };
    let Some(policy) = policy(&actor) else { return 0 };
    let mut other = Other {
        pid: tgid,
        call: call::CGROUP,
        ..NOTHING
    };
    // SAFETY: the buffer is as long as is said; the helper checks the address, and a failure leaves the name empty.
    unsafe {
        bpf_probe_read_kernel_str(
            other.name.as_mut_ptr().cast(),
            other.name.len() as u32,
            ctx.arg::<*const u8>(1).cast(),
        )
    };
    act::judge(
        &mut actor,
        &other,
        policy.leave,
        what(kind::CGROUP),
        Power::Signal,
    );
    0
}
