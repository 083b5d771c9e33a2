//! Membership is inherited before the child runs.

use aya_ebpf::{helpers::bpf_get_current_uid_gid, macros::btf_tracepoint, programs::BtfTracePointContext};
use scopeward_abi::event::{Fork, Header, hook, kind, loss};

use crate::{
    emit,
    hooks::{act, escape},
    kernel::task,
    maps::STRAYS,
    respond,
    session::{self, Actor, ids},
};

#[repr(C)]
struct ForkEvent {
    header: Header,
    fork: Fork,
}

/// `TP_PROTO(struct task_struct *parent, struct task_struct *child)`, called in the parent before the child is woken
/// (`kernel_clone`). Checked on 6.18. Fails towards holding: a child that cannot be enrolled would run free, so it ends
/// before its first instruction, and whoever made it ends too.
#[btf_tracepoint(function = "sched_process_fork")]
pub fn fork(ctx: BtfTracePointContext) -> i32 {
    let ids = ids();
    let child = ctx.arg::<*const u8>(1) as u64;
    let Some(member) = session::member(ids.0) else {
        if session::is_marked(ids.0) && is_stray() {
            // What it makes is one as well.
            if let Ok(tgid) = task::tgid(child) {
                session::mark(tgid);
            }
            unheld(child, loss::MAP);
        }
        return 0;
    };
    let (Ok(tgid), Ok(cookie)) = (task::tgid(child), task::cookie(child)) else {
        unheld(child, loss::UNRESOLVED);
        return 0;
    };
    if tgid == ids.0 {
        return 0;
    }
    let mut inherited = *member;
    inherited.cookie = cookie;
    if session::enrol(tgid, &inherited, 0).is_err() {
        unheld(child, loss::MAP);
        return 0;
    }
    let Some(mut actor) = Actor::of(member, ids, hook::FORK) else {
        respond::without_session(hook::FORK);
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

/// A child that is in no session although whoever made it is: neither goes on.
#[inline(never)]
fn unheld(child: u64, reason: u32) {
    emit::lost(hook::FORK, reason);
    if STRAYS.insert(&child, &1, 0).is_err() {
        emit::lost(hook::FORK, loss::SIGNAL);
    }
    respond::kill(hook::FORK);
}

/// Whether the running process, which is in no session, should have been in one.
#[inline(never)]
fn is_stray() -> bool {
    task::own_leader().is_ok_and(|leader| STRAYS.get_ptr(&leader).is_some())
}

/// A process outside sessions leaves the call that made it, or, where nobody looks there, is about to act: ends it where it
/// should have been in one, and says so. On arm64 a child is not seen at the first, and ends with the next call that is
/// looked at.
#[inline(always)]
pub fn stray() -> bool {
    let is_one = is_stray();
    if is_one {
        respond::kill(hook::FORK);
    }
    is_one
}

/// A marked process that is in no session ends: its address can be another task's afterwards.
#[inline(never)]
pub fn forget() {
    if let Ok(leader) = task::own_leader() {
        // Nearly none is there.
        let _ = STRAYS.remove(&leader);
    }
}
