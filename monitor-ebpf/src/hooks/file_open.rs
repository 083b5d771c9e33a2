//! Files that a session got a descriptor of: at the exit of every system call that returns one, and when io_uring
//! completes an open.

use aya_ebpf::{Global, macros::btf_tracepoint, programs::BtfTracePointContext};
use scopeward_abi::{
    event::{flag, hook},
    syscall::class,
};

use crate::{
    hooks::{
        escape, file_use, process,
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
        return 0;
    };
    let Some(mut actor) = Actor::of(member, ids, hook::OPEN) else {
        return 0;
    };
    // SAFETY: as above.
    let first = unsafe { *(regs.add(of::REGS_FIRST()) as *const u64) };
    // SAFETY: as above.
    let first_compat = unsafe { *(regs.add(of::REGS_FIRST_COMPAT()) as *const u64) };
    // SAFETY: as above.
    let second = unsafe { *(regs.add(of::REGS_SECOND()) as *const u64) };
    // SAFETY: as above.
    let second_compat = unsafe { *(regs.add(of::REGS_SECOND_COMPAT()) as *const u64) };
    // SAFETY: as above.
    let third = unsafe { *(regs.add(of::REGS_THIRD()) as *const u64) };
    let call = Call {
        number,
        native: [first, second, third],
        compat: [first_compat & LOW, second_compat & LOW, third & LOW],
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

/// A system call: its number, and its first arguments as they are where it is a native or a 32-bit one.
struct Call {
    number: u64,
    native: [u64; 3],
    compat: [u64; 3],
}

/// The exit of a system call that is looked at, in a session.
#[inline(always)]
fn held(actor: &mut Actor, classes: u8, ret: i64, call: &Call) {
    let task = task::current();
    let compat = task::is_compat();
    let of_call = if compat {
        classes >> class::COMPAT_SHIFT
    } else {
        classes & 15
    };
    let arguments = if compat { call.compat } else { call.native };
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
        escape::called(actor, of_call, (call.number, arguments[0]), Power::Signal);
    } else if (class::PTRACE..=class::PERF).contains(&of_call) && ret >= 0 {
        process::called(actor, of_call, arguments);
    }
    respond::settle(actor);
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
    let Ok(opcode) = read::<u8>(request, of::URING_REQ_OPCODE()) else {
        return 0;
    };
    if opcode != OPENS[0] && opcode != OPENS[1] {
        return 0;
    }
    let Ok(fd) = read::<i32>(cqe, of::URING_CQE_RES()) else {
        return 0;
    };
    if fd < 0 {
        return 0;
    }
    let Some(mut actor) = Actor::of(member, ids, hook::URING) else {
        return 0;
    };
    actor.flags = flag::URING;
    let address = task::file(task::current(), fd as u64).unwrap_or(0);
    file_use::used::<Probed>(&mut actor, address, Power::Signal);
    0
}
