//! The heartbeat: a record that the daemon asks for, to see that what the kernel tells still arrives.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_seq_write;
use scopeward_abi::{
    ABI_VERSION,
    event::{Header, hook, kind},
};

use crate::{emit, hooks::adopt::IterTask};

/// Sends one record for each task that the daemon reads here, which is one: it reads no more than the four bytes that
/// the first task gives. Looks at no task at all.
/// Prototype of `DEFINE_BPF_ITER_FUNC(task, …)`; checked on 6.18.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
extern "C" fn heartbeat(ctx: *const c_void) -> i32 {
    let ctx = ctx.cast::<IterTask>();
    // SAFETY: the context of an iterator.
    let (meta, task) = unsafe { ((*ctx).meta, (*ctx).task) };
    if task.is_null() {
        return 0;
    }
    let record = Header {
        version: ABI_VERSION,
        kind: kind::HEARTBEAT,
        hook: hook::ADOPT,
        time: emit::now(),
        ..Header::default()
    };
    emit::send_small(&record, hook::ADOPT);
    let one = 1_u32;
    // SAFETY: the iterator's own sequence file, and four bytes on the stack.
    unsafe {
        bpf_seq_write(
            (*meta).seq.cast(),
            core::ptr::from_ref(&one).cast(),
            size_of::<u32>() as u32,
        );
    }
    0
}
