//! Adoption of processes that already run.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_seq_write;
use scopeward_abi::{
    event::{hook, loss},
    member::{UNHELD, flag},
};

use crate::{
    emit,
    kernel::{
        offsets::{Address, of, read},
        task,
    },
    maps::MEMBERS,
    session,
};

/// `struct bpf_iter__task`: the context of `iter/task`.
#[repr(C)]
pub struct IterTask {
    pub meta: *const IterMeta,
    pub task: *const c_void,
}

/// `struct bpf_iter_meta`.
#[repr(C)]
pub struct IterMeta {
    pub seq: *mut c_void,
}

/// Enrols each process whose parent is in a session, and writes its process id for the daemon, which walks until a
/// walk finds nothing new: what forks meanwhile inherits, and what was forked before is found by its parent.
/// Prototype of `DEFINE_BPF_ITER_FUNC(task, …)`; checked on 6.18.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
extern "C" fn adopt(ctx: *const c_void) -> i32 {
    let ctx = ctx.cast::<IterTask>();
    // SAFETY: the context of an iterator.
    let (meta, address) = unsafe { ((*ctx).meta, (*ctx).task as u64) };
    if address == 0 {
        return 0;
    }
    let Ok(tgid) = task::tgid(address) else { return 0 };
    if session::known(tgid).is_some() {
        return 0;
    }
    let Ok(leader) = read::<Address>(address, of::TASK_GROUP_LEADER()) else {
        return 0;
    };
    if leader != address {
        return 0;
    }
    let Ok(parent) = task::ppid(address) else { return 0 };
    let Some(above) = session::known(parent) else {
        return 0;
    };
    let Ok(cookie) = task::cookie(address) else {
        return 0;
    };
    if cookie < above.cookie {
        // The parent's pid is newer than the child: a reparenting to a reused pid, not a descent.
        return 0;
    }
    let mut inherited = *above;
    inherited.cookie = cookie;
    inherited.flags |= flag::ADOPTED;
    /// `BPF_NOEXIST`: what inherited by fork meanwhile stays as it is.
    const NO_EXIST: u64 = 1;
    if session::enrol(tgid, &inherited, NO_EXIST).is_err() {
        if session::known(tgid).is_none() {
            emit::lost(hook::ADOPT, loss::MAP);
            // Only the daemon can end another process.
            say(meta, tgid | UNHELD);
        }
        return 0;
    }
    // One that was past its exit hook already would keep its number in a session for whoever gets it next. The count
    // is lowered before that hook: whoever is still counted here has the hook before it.
    if task::is_last_thread(address).unwrap_or(true) {
        // The exit hook may have been faster.
        let _ = MEMBERS.remove(&tgid);
        return 0;
    }
    say(meta, tgid);
    0
}

#[inline(always)]
fn say(meta: *const IterMeta, tgid: u32) {
    // SAFETY: the iterator's own sequence file, and four bytes on the stack.
    unsafe {
        bpf_seq_write(
            (*meta).seq.cast(),
            core::ptr::from_ref(&tgid).cast(),
            size_of::<u32>() as u32,
        );
    }
}
