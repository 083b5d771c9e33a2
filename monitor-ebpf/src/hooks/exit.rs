//! Membership ends with the last thread.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use scopeward_abi::event::{Exit, Header, hook, kind};

use crate::{
    emit,
    hooks::fork,
    kernel::{
        offsets::{of, read},
        task,
    },
    session::{self, Actor, ids},
};

#[repr(C)]
struct ExitEvent {
    header: Header,
    exit: Exit,
}

/// `TP_PROTO(struct task_struct *p)` (6.16 added `bool group_dead`, which is not used), called for each thread in
/// itself, after `signal->live` was lowered (`do_exit`). Checked on 6.18. Fails towards keeping the membership.
#[btf_tracepoint(function = "sched_process_exit")]
pub fn exit(_ctx: BtfTracePointContext) -> i32 {
    let ids = ids();
    if !session::is_marked(ids.0) {
        return 0;
    }
    let task = task::current();
    if !task::is_last_thread(task).unwrap_or(false) {
        return 0;
    }
    let Some(member) = session::member(ids.0) else {
        fork::forget();
        session::end(ids.0);
        return 0;
    };
    if let Some(actor) = Actor::of(member, ids, hook::EXIT) {
        let event = ExitEvent {
            header: emit::header(kind::EXIT, &actor),
            exit: Exit {
                code: read(task, of::TASK_EXIT_CODE()).unwrap_or(0),
                pad: 0,
            },
        };
        emit::send_small(&event, hook::EXIT);
    }
    session::end(ids.0);
    0
}
