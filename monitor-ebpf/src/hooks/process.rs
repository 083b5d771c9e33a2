//! Acts on processes outside the session: traced, read, signalled. Held against the process that the kernel found, never
//! against the number that was given.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use scopeward_abi::{
    event::{Other, call, flag, hook, kind, loss, when},
    policy::response,
    syscall::class,
};

use crate::{
    emit,
    hooks::act::{self, NOTHING},
    kernel::{
        call::Call,
        file::{self, word},
        offsets::{Address, Memory, of, read},
        pid, task,
    },
    maps::{POLICIES, PROTECTED},
    respond::{self, Power},
    session::{self, Actor, ids},
};

/// Whether a process is none of the session's.
#[inline(always)]
fn is_outside(actor: &Actor, tgid: u32) -> bool {
    tgid != actor.ids.0 && session::known(tgid).is_none_or(|member| member.session != actor.member.session)
}

/// Answers an act on another process: as `of_kind`, or as tampering where it is the monitor. Returns what was applied.
#[inline(never)]
fn on(actor: &mut Actor, tgid: u32, what: u32, detail: u64, power: Power) -> u8 {
    if !is_outside(actor, tgid) {
        return response::ALLOW;
    }
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return respond::without_policy(actor, power);
    };
    // SAFETY: as above.
    let monitor = unsafe { PROTECTED.get(&tgid) }.is_some();
    let of_kind = what >> 16 & 255;
    let entry = if monitor {
        policy.tamper
    } else if of_kind == u32::from(kind::SIGNAL) {
        policy.signal
    } else {
        policy.trace
    };
    let of_kind = if monitor { u32::from(kind::TAMPER) } else { of_kind };
    let other = Other {
        pid: tgid,
        call: what >> 8 & 255,
        detail,
        ..NOTHING
    };
    actor.hook = hook::PROCESS;
    act::judge(actor, &other, entry, of_kind << 8 | what & 255, power)
}

/// Kind, call and moment of an act in one number.
const fn what(kind: u8, call: u32, when: u8) -> u32 {
    (kind as u32) << 16 | call << 8 | when as u32
}

/// The exit of a system call that did not fail.
#[inline(always)]
pub fn called(actor: &mut Actor, of_call: u8, arguments: [u64; 3]) {
    const ATTACH: u32 = 16;
    const SEIZE: u32 = 0x4206;
    let [first, second, third] = arguments;
    let (target, act, detail) = match of_call {
        class::PTRACE if first as u32 == ATTACH || first as u32 == SEIZE => (
            pid::by_number(second as u32),
            what(kind::TRACE, call::PTRACE, when::BEFORE_USE),
            first,
        ),
        class::PROCESS_VM => (
            pid::by_number(first as u32),
            what(kind::TRACE, call::PROCESS_VM, when::BEFORE_USE),
            0,
        ),
        class::PERF if second as i32 > 0 => (
            pid::by_number(second as u32),
            what(kind::TRACE, call::PERF, when::BEFORE_USE),
            0,
        ),
        class::PIDFD => (
            pid::by_descriptor(first & 0xffff_ffff),
            what(kind::TRACE, call::PIDFD, when::BEFORE_USE),
            0,
        ),
        class::QUEUE if second as u32 != 0 => (
            pid::by_number(first as u32),
            what(kind::SIGNAL, call::SIGNAL, when::AFTER),
            second,
        ),
        // Without a record of its own it is told by `signalled`.
        class::PIDFD_SIGNAL if second as u32 != 0 && third != 0 => (
            pid::by_descriptor(first & 0xffff_ffff),
            what(kind::SIGNAL, call::SIGNAL, when::AFTER),
            second,
        ),
        _ => return,
    };
    match target {
        Ok(Some(tgid)) => on(actor, tgid, act, detail, Power::Signal),
        // It has ended since.
        Ok(None) => return,
        // Another thread closed the descriptor meanwhile, or a read failed: as if it were outside.
        Err(_) => unseen(actor, act, detail, Power::Signal),
    };
}

/// An act on a process that cannot be told: as on one outside, and counted.
#[inline(always)]
fn unseen(actor: &mut Actor, what: u32, detail: u64, power: Power) -> u8 {
    actor.flags |= flag::UNRESOLVED;
    emit::lost(hook::PROCESS, loss::UNRESOLVED);
    on(actor, 0, what, detail, power)
}

/// A security hook asks whether the running task may look into `task` as a tracer does. Only for system calls that are
/// acts by themselves: files of `/proc` are answered as they are opened. Returns what was applied.
#[inline(always)]
pub fn traced(actor: &mut Actor, task: Address, made: &Call) -> u8 {
    let by = match made.class {
        class::PTRACE => call::PTRACE,
        class::PROCESS_VM => call::PROCESS_VM,
        class::PERF => call::PERF,
        class::PIDFD => call::PIDFD,
        _ => return response::ALLOW,
    };
    let detail = if made.class == class::PTRACE {
        made.first
    } else {
        0
    };
    let what = what(kind::TRACE, by, when::BEFORE_ACT);
    match task::tgid(task) {
        Ok(tgid) => on(actor, tgid, what, detail, Power::Deny),
        Err(_) => unseen(actor, what, detail, Power::Deny),
    }
}

/// A security hook asks whether the running task may signal `task`. Returns what was applied.
#[inline(always)]
pub fn signals(actor: &mut Actor, task: Address, signal: u64) -> u8 {
    let what = what(kind::SIGNAL, call::SIGNAL, when::BEFORE_ACT);
    match task::tgid(task) {
        Ok(tgid) => on(actor, tgid, what, signal, Power::Deny),
        Err(_) => unseen(actor, what, signal, Power::Deny),
    }
}

/// `TP_PROTO(int sig, struct kernel_siginfo *info, struct task_struct *task, int group, int result)`: a signal was put
/// into a process's queue, in the task that sent it. Only those of `kill`, `tkill` and `tgkill`, which no interrupt
/// sends; those with a record that the caller made up are looked at when their system call ends. Checked on 6.18.
#[btf_tracepoint(function = "signal_generate")]
pub fn signalled(ctx: BtfTracePointContext) -> i32 {
    /// `SI_USER` and `SI_TKILL`.
    const USER: i32 = 0;
    const TKILL: i32 = -6;
    let info = ctx.arg::<*const u8>(1) as Address;
    // `SEND_SIG_NOINFO`, `SEND_SIG_PRIV`: the kernel itself.
    if info < 4096 {
        return 0;
    }
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        return 0;
    };
    // What cannot be read may be one of them.
    let code = read::<i32>(info, of::SIGINFO_CODE()).unwrap_or(USER);
    if code != USER && code != TKILL {
        return 0;
    }
    let Some(mut actor) = Actor::of(member, ids, hook::PROCESS) else {
        respond::without_session(hook::PROCESS);
        return 0;
    };
    let signal = ctx.arg::<i32>(0) as u64;
    let what = what(kind::SIGNAL, call::SIGNAL, when::AFTER);
    match task::tgid(ctx.arg::<*const u8>(2) as Address) {
        Ok(tgid) => on(&mut actor, tgid, what, signal, Power::Signal),
        Err(_) => unseen(&mut actor, what, signal, Power::Signal),
    };
    0
}

/// What `/proc` says of a process that others have no business with, by the first eight bytes of its name.
const SECRETS: [u64; 11] = [
    word(b"mem"),
    word(b"environ"),
    word(b"maps"),
    word(b"smaps"),
    word(b"smaps_rollup"),
    word(b"numa_maps"),
    word(b"pagemap"),
    word(b"auxv"),
    word(b"map_files"),
    word(b"fd"),
    word(b"fdinfo"),
];

/// A file that is opened: one of another's secrets in `/proc`? Returns what was applied.
#[inline(always)]
pub fn opened<M: Memory>(actor: &mut Actor, file: Address, dentry: Address, power: Power) -> u8 {
    let what = what(kind::TRACE, call::PROC, power.when());
    let tgid = match pid::of_proc::<M>(file) {
        Ok(Some(tgid)) => tgid,
        // A file of nobody's, or of a process that has ended.
        Ok(None) => return response::ALLOW,
        Err(_) => return unseen(actor, what, 0, power),
    };
    if !is_outside(actor, tgid) {
        return response::ALLOW;
    }
    let Ok((first, _)) = file::beginning(dentry) else {
        return unseen(actor, what, 0, power);
    };
    let mut known = false;
    for secret in SECRETS {
        known |= first == secret;
    }
    if !known {
        return response::ALLOW;
    }
    on(actor, tgid, what, first, power)
}
