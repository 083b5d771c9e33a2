//! Files that a session got a descriptor of: at the exit of every system call that returns one, and when io_uring
//! completes an open.

use aya_ebpf::{Global, macros::btf_tracepoint, programs::BtfTracePointContext};
use scopeward_abi::{
    event::{flag, hook},
    syscall::class,
};

use crate::{
    hooks::{
        escape, file_use, fork, process,
        removal::{self, AT_FDCWD},
        socket, unix,
    },
    kernel::{
        call,
        offsets::{Probed, of, read},
        task,
    },
    respond::{self, Power},
    session::{self, Actor, ids},
};

/// Not 0 where security hooks answer for acts on processes, sockets, namespaces and mounts; set by the daemon.
#[unsafe(no_mangle)]
static DENYING: Global<u32> = Global::new(0);

/// `TP_PROTO(struct pt_regs *regs, long ret)`, called for each system call of each process before it returns to user
/// space. Checked on 6.18. Outside sessions: a look into a constant table, and for the calls in it one bit.
#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit(ctx: BtfTracePointContext) -> i32 {
    let regs = ctx.arg::<*const u8>(0);
    // SAFETY: a trusted pointer, read at the field's own offset.
    let number = unsafe { *(regs.add(of::REGS_SYSCALL()) as *const u64) };
    let classes = call::classes(number);
    if classes == class::NONE {
        return 0;
    }
    // Many a number means something else in a 32-bit call.
    if classes & 15 == class::NONE && !task::is_compat() {
        return 0;
    }
    let ret = ctx.arg::<i64>(1);
    if ret < 0 && classes & 15 == class::OPEN && classes >> class::COMPAT_SHIFT == 0 {
        return 0;
    }
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        // The first thing that a child does is to leave the call that made it, with 0.
        if ret == 0 && (classes & 15 == class::NET || classes >> class::COMPAT_SHIFT == class::NET) {
            fork::stray();
        }
        return 0;
    };
    let Some(mut actor) = Actor::of(member, ids, hook::OPEN) else {
        respond::without_session(hook::OPEN);
        return 0;
    };
    let compat = task::is_compat();
    // SAFETY: as above. Only what the call has is kept: the frames of the deepest calls together have 512 bytes.
    let arguments = unsafe {
        if compat {
            [
                *(regs.add(of::REGS_FIRST_COMPAT()) as *const u64) & LOW,
                *(regs.add(of::REGS_SECOND_COMPAT()) as *const u64) & LOW,
                *(regs.add(of::REGS_THIRD()) as *const u64) & LOW,
            ]
        } else {
            [
                *(regs.add(of::REGS_FIRST()) as *const u64),
                *(regs.add(of::REGS_SECOND()) as *const u64),
                *(regs.add(of::REGS_THIRD()) as *const u64),
            ]
        }
    };
    let call = Call {
        number,
        compat,
        arguments,
    };
    held(&mut actor, classes, ret, &call);
    0
}

/// Numbers of `unlink`, native and 32-bit, filled by the daemon.
#[unsafe(no_mangle)]
static UNLINK: [u64; 2] = [0; 2];

#[inline(always)]
fn unlink(compat: bool) -> u64 {
    // SAFETY: an index of two; volatile, because the daemon fills it before loading.
    unsafe { core::ptr::read_volatile((&raw const UNLINK).cast::<u64>().add(usize::from(compat))) }
}

/// What an argument of a 32-bit call has.
const LOW: u64 = 0xffff_ffff;

/// A system call: its number, whether it is a 32-bit one, and its first arguments.
struct Call {
    number: u64,
    compat: bool,
    arguments: [u64; 3],
}

/// The exit of a system call that is looked at, in a session.
#[inline(always)]
fn held(actor: &mut Actor, classes: u8, ret: i64, call: &Call) {
    let task = task::current();
    let compat = call.compat;
    let of_call = if compat {
        classes >> class::COMPAT_SHIFT
    } else {
        classes & 15
    };
    let arguments = call.arguments;
    if of_call == class::REMOVE && ret == 0 {
        if call.number == unlink(compat) {
            removal::removed(actor, AT_FDCWD, arguments[0]);
        } else {
            removal::removed(actor, arguments[0], arguments[1]);
        }
    }
    if DENYING.load() != 0 {
        respond::settle(actor);
        return;
    }
    if of_call == class::OPEN && ret >= 0 {
        actor.flags = if compat { flag::COMPAT } else { 0 };
        // 0: another thread closed it, or put another file there: what it was is not known.
        let address = task::file(task, ret as u64).unwrap_or(0);
        removal::opened(actor, address, arguments[0], arguments[1]);
        file_use::used::<Probed>(actor, address, Power::Signal);
    }
    if of_call == class::SOCKET && ret >= 0 {
        // The first argument: another register in a 32-bit call.
        socket::made(actor, arguments[0], (0, 0), Power::Signal);
    }
    if of_call == class::CONNECT && ret >= 0 {
        unix::connected(actor, arguments[0]);
    }
    if (class::SETNS..=class::BPF).contains(&of_call) && ret >= 0 {
        escapes(actor, of_call, call.number, arguments[0]);
    } else if (class::PTRACE..=class::PERF).contains(&of_call) && ret >= 0 {
        process::called(actor, of_call, arguments);
    }
    respond::settle(actor);
}

/// A call of its own, for the same reason.
#[inline(never)]
fn escapes(actor: &mut Actor, of_call: u8, number: u64, first: u64) {
    escape::called(actor, of_call, (number, first), Power::Signal);
}

/// `TP_PROTO(struct io_ring_ctx *ctx, void *req, struct io_uring_cqe *cqe)` since 6.13 (before: other arguments, and
/// then this program is not attached). In the task that completes the request: the submitter or one of its io-wq or
/// SQPOLL threads, which share its process id and descriptors.
#[btf_tracepoint(function = "io_uring_complete")]
pub fn io_uring_complete(ctx: BtfTracePointContext) -> i32 {
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        return 0;
    };
    let request = ctx.arg::<*const u8>(1) as u64;
    let cqe = ctx.arg::<*const u8>(2) as u64;
    if request == 0 {
        return 0;
    }
    /// `IORING_OP_OPENAT` and `IORING_OP_OPENAT2` (`include/uapi/linux/io_uring.h`).
    const OPENS: [u8; 2] = [18, 28];
    // One that cannot be read may be an open; its file is none that can be seen then.
    let opcode = read::<u8>(request, of::URING_REQ_OPCODE()).unwrap_or(OPENS[0]);
    if opcode != OPENS[0] && opcode != OPENS[1] {
        return 0;
    }
    let fd = read::<i32>(cqe, of::URING_CQE_RES());
    if fd.is_ok_and(|fd| fd < 0) {
        return 0;
    }
    let Some(mut actor) = Actor::of(member, ids, hook::URING) else {
        respond::without_session(hook::URING);
        return 0;
    };
    actor.flags = flag::URING;
    let address = fd
        .and_then(|fd| task::file(task::current(), fd as u64))
        .unwrap_or(0);
    file_use::used::<Probed>(&mut actor, address, Power::Signal);
    0
}
