//! Membership is inherited before the child runs.

use aya_ebpf::{helpers::bpf_get_current_uid_gid, macros::btf_tracepoint, programs::BtfTracePointContext};
use scopeward_abi::event::{Fork, Header, hook, kind, loss};

use crate::{
    emit,
    hooks::{act, escape},
    kernel::task,
    respond,
    session::{self, Actor, ids},
};

#[repr(C)]
struct ForkEvent {
    header: Header,
    fork: Fork,
}

/// `TP_PROTO(struct task_struct *parent, struct task_struct *child)`, called in the parent before the child is woken
/// (`kernel_clone`). Checked on 6.18. Fails towards holding: a child that cannot be enrolled costs its parent's life,
/// because it would run free.
#[btf_tracepoint(function = "sched_process_fork")]
pub fn fork(ctx: BtfTracePointContext) -> i32 {
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        return 0;
    };
    let child = ctx.arg::<*const u8>(1) as u64;
    let (Ok(tgid), Ok(cookie)) = (task::tgid(child), task::cookie(child)) else {
        emit::lost(hook::FORK, loss::UNRESOLVED);
        respond::kill(hook::FORK);
        return 0;
    };
    if tgid == ids.0 {
        return 0;
    }
    let mut inherited = *member;
    inherited.cookie = cookie;
    if session::enrol(tgid, &inherited, 0).is_err() {
        emit::lost(hook::FORK, loss::MAP);
        respond::kill(hook::FORK);
        return 0;
    }
    let Some(mut actor) = Actor::of(member, ids, hook::FORK) else {
        return 0;
    };
    if escape::cloned(&mut actor, child, tgid)
        && let Some(child) = session::known(tgid)
    {
        act::doom(&mut child.flags);
    }
    let event = ForkEvent {
        header: emit::header(kind::FORK, &actor),
        fork: Fork {
            cookie,
            tgid,
            uid: bpf_get_current_uid_gid() as u32,
        },
    };
    emit::send_small(&event, hook::FORK);
    0
}
