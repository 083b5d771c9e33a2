//! Programs: labels, exec rules, and the processes that become roots of sessions.

use aya_ebpf::{
    helpers::{generated::bpf_probe_read_kernel_str, generated::bpf_probe_read_user},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use scopeward_abi::{
    event::{Exec, Header, MAX_ARGV, MAX_FILE, flag, hook, kind, loss},
    member::mode,
    policy::{Policy, response},
};

use crate::{
    emit, grant,
    hooks::candidate,
    kernel::{
        file::{self, Facts},
        offsets::{Address, Probed, of, read},
        task,
    },
    maps::{MATCHING, POLICIES, SeenKey},
    matching::{self, Hits, Table},
    respond::{self, Power},
    scratch::{self, OUT, Scratch, bounded},
    session::{self, Actor, ids},
    tighten,
    verdict::{self, Verdict},
};

/// `TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`, called in the process after the point
/// of no return and before its first instruction (`exec_binprm`). Checked on 6.18. A refused program is ended: the old
/// one is gone. Outside sessions: nothing while no `[[match]]` is loaded.
#[btf_tracepoint(function = "sched_process_exec")]
pub fn exec(ctx: BtfTracePointContext) -> i32 {
    let ids = ids();
    let bprm = ctx.arg::<*const u8>(2) as u64;
    let Some(member) = session::member(ids.0) else {
        match MATCHING.get(0) {
            Some(&matching) if matching != 0 => candidate::look(bprm, ids),
            _ => {}
        }
        return 0;
    };
    let Some(mut actor) = Actor::of(member, ids, hook::EXEC) else {
        respond::without_session(hook::EXEC);
        return 0;
    };
    executed(&mut actor, bprm);
    respond::settle(&mut actor);
    0
}

/// Reads what the program is into the scratch; false where it cannot be seen.
#[inline(never)]
pub(super) fn program(bprm: Address, scratch: &mut Scratch) -> bool {
    let facts = read::<Address>(bprm, of::BPRM_FILE()).and_then(file::facts::<Probed>);
    match facts {
        Ok(facts) => scratch.facts = facts,
        Err(_) => scratch.facts = Facts::default(),
    }
    facts.is_ok()
}

/// An exec of a session.
#[inline(always)]
fn executed(actor: &mut Actor, bprm: Address) {
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        respond::without_policy(actor, Power::Signal);
        return;
    };
    let Some(scratch) = scratch::acquire() else {
        blind(actor, policy, Power::Signal);
        return;
    };
    let seen = program(bprm, scratch);
    scratch.member = *actor.member;
    let mut verdict = judge(policy, scratch, seen, policy.exec_default);
    narrow(actor, policy, scratch, &mut verdict, seen);
    approve(actor, scratch, &mut verdict, seen, true);
    actor.member.lineage = scratch.member.lineage;
    actor.member.labels = scratch.member.labels;
    if tell(actor, scratch, seen, verdict, Power::Signal) {
        report(scratch, bprm, seen, true);
    }
    scratch::release(scratch);
}

/// A program that is about to be executed, while it can be refused: answers, and says what was applied. One that goes
/// on is told of when it is executed.
#[inline(always)]
pub fn check(actor: &mut Actor, bprm: Address) -> u8 {
    /// How a script begins: its interpreter is asked about afterwards, as a program of its own.
    const SCRIPT: [u8; 2] = *b"#!";
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return respond::without_policy(actor, Power::Deny);
    };
    let Some(scratch) = scratch::acquire() else {
        return blind(actor, policy, Power::Deny);
    };
    let is_script = read::<[u8; 2]>(bprm, of::BPRM_BUF()).is_ok_and(|start| start == SCRIPT);
    let seen = program(bprm, scratch);
    // The process still is what it was: labels change when the program does.
    scratch.member = *actor.member;
    let default = if is_script { 0 } else { policy.exec_default };
    let mut verdict = judge(policy, scratch, seen, default);
    narrow(actor, policy, scratch, &mut verdict, seen);
    // Its use is counted when it is executed; a script's here, because the interpreter is what is executed.
    approve(actor, scratch, &mut verdict, seen, is_script);
    let is_refused = verdict.response >= response::DENY && actor.session.mode != mode::OBSERVE;
    if is_refused && tell(actor, scratch, seen, verdict, Power::Deny) {
        report(scratch, bprm, seen, false);
    }
    scratch::release(scratch);
    if is_refused {
        verdict.response
    } else {
        response::ALLOW
    }
}

/// Without working memory, where the policy is not at hand.
#[inline(always)]
pub fn blind_to(actor: &mut Actor, power: Power) -> u8 {
    // SAFETY: written whole by the daemon.
    match unsafe { POLICIES.get(&actor.member.policy) } {
        Some(policy) => blind(actor, policy, power),
        None => respond::without_policy(actor, power),
    }
}

/// Without working memory: answered as a program that no rule names, and as a file that cannot be seen.
#[inline(never)]
fn blind(actor: &mut Actor, policy: &Policy, power: Power) -> u8 {
    emit::lost(hook::EXEC, loss::SCRATCH);
    let hits = Hits {
        unresolved: 1,
        ..Hits::default()
    };
    let program = verdict::exec(actor.member, &hits, policy.exec_default, policy.exec_fail).response;
    let read = verdict::file(actor.member, policy, &hits, true, false).response;
    respond::apply(actor, if read > program { read } else { program }, power)
}

/// Leaves a tightened session the programs that it has used.
#[inline(never)]
fn narrow(actor: &Actor, policy: &Policy, scratch: &Scratch, verdict: &mut Verdict, seen: bool) {
    let program = (kind::EXEC, scratch.facts.inode, scratch.facts.dev);
    if seen {
        tighten::hold(actor, policy, verdict, program, 1);
    }
}

/// Lets through what a person approved; `counts` where this is its use.
#[inline(never)]
pub fn approve(actor: &mut Actor, scratch: &Scratch, verdict: &mut Verdict, seen: bool, counts: bool) {
    if seen
        && verdict.response > response::ALLOW
        && grant::program(actor.member.session, &scratch.facts, counts)
    {
        verdict.response = response::ALLOW;
        actor.flags |= flag::GRANTED;
    }
}

/// Applies a verdict on a program, counts it and writes the event's header; says whether it is to be told.
#[inline(never)]
fn tell(actor: &mut Actor, scratch: &mut Scratch, seen: bool, verdict: Verdict, power: Power) -> bool {
    let applied = respond::apply(actor, verdict.response, power);
    if verdict.sanctioned {
        actor.flags |= flag::SANCTIONED;
    }
    if scratch.hits.unresolved != 0 {
        emit::lost(hook::EXEC, loss::UNRESOLVED);
        actor.flags |= flag::UNRESOLVED;
    }
    if seen {
        let key = SeenKey {
            session: actor.member.session,
            object: scratch.facts.inode,
            part: scratch.facts.dev,
            what: u32::from(kind::EXEC) << 24 | actor.flags & flag::GRANTED,
            entry: verdict.entry,
            pad: 0,
        };
        // Every exec is told, because processes are attributed by it; a flood of refused ones is held to the quota.
        let told = emit::counted(actor, &key, verdict.response);
        respond::brake(actor, power);
        if !told && verdict.response != response::ALLOW {
            return false;
        }
    }
    let event = event(scratch);
    event.header = emit::header(kind::EXEC, actor);
    event.header.called_for = verdict.response;
    event.header.applied = applied;
    event.header.when = power.when();
    event.header.entry = verdict.entry;
    true
}

/// Labels `scratch.member` by the program, and decides; `default` answers where no rule fits.
#[inline(never)]
fn judge(policy: &Policy, scratch: &mut Scratch, seen: bool, default: u32) -> Verdict {
    scratch.program_hits = Hits::default();
    scratch.program_hits.unresolved = 1;
    scratch.hits = scratch.program_hits;
    if seen {
        let number = scratch.member.policy;
        let programs = Table::programs(number, policy);
        scratch.program_hits = matching::find(&programs, scratch);
        let files = Table::files(number, policy);
        matching::find(&files, scratch);
    }
    scratch.member.lineage |= scratch.member.labels;
    scratch.member.labels = scratch.program_hits.mask;
    let verdict = verdict::exec(&scratch.member, &scratch.program_hits, default, policy.exec_fail);
    // Executing a guarded file reads it.
    let read = verdict::file(&scratch.member, policy, &scratch.hits, true, false);
    scratch.hits.unresolved |= scratch.program_hits.unresolved;
    if read.response > verdict.response {
        read
    } else {
        verdict
    }
}

#[repr(C)]
pub(super) struct ExecEvent {
    pub(super) header: Header,
    exec: Exec,
}

/// The event that is built in the scratch: where it is, because the frames of all calls together have 512 bytes.
#[inline(always)]
pub(super) fn event(scratch: &mut Scratch) -> &mut ExecEvent {
    // SAFETY: `out` is longer than the event, and starts at the start of an aligned struct.
    unsafe { &mut *scratch.out.as_mut_ptr().cast() }
}

/// Tells of an exec whose header is written: program, working directory, the name that was given, and with `is_new` the
/// arguments (before the act those in reach are the old program's).
#[inline(never)]
pub(super) fn report(scratch: &mut Scratch, bprm: Address, seen: bool, is_new: bool) {
    let mut flags = 0;
    let start = size_of::<ExecEvent>();
    let mut at = start;
    let (mut path, facts) = (0, scratch.facts);
    if seen {
        if facts.links == 0 {
            flags |= flag::DELETED;
        }
        file::render(facts.dentry, facts.mount, scratch, at);
        path = scratch.used as u16;
        at += bounded::<0xfff>(scratch.used as usize);
        if scratch.cut != 0 {
            flags |= flag::TRUNCATED;
        }
    }
    working_directory(scratch, at);
    let cwd = scratch.used as u16;
    at += bounded::<0xfff>(scratch.used as usize);
    if scratch.cut != 0 {
        flags |= flag::TRUNCATED;
    }
    let file = file_name(bprm, scratch, at);
    at += bounded::<0x1ff>(file as usize);
    let (argv, total) = if is_new { arguments(scratch, at) } else { (0, 0) };
    at += bounded::<0xfff>(argv as usize);
    let event = event(scratch);
    event.header.flags |= flags;
    event.header.strings = (at - start) as u16;
    event.exec.inode = facts.inode;
    event.exec.dev = facts.dev;
    event.exec.ppid = task::ppid(task::current()).unwrap_or(0);
    event.exec.uid = task::euid(task::current()).unwrap_or(u32::MAX);
    event.exec.path = path;
    event.exec.cwd = cwd;
    event.exec.file = file as u16;
    event.exec.argv = argv as u16;
    event.exec.argv_total = total;
    emit::send(scratch, bounded::<0x1fff>(at), hook::EXEC);
}

#[inline(always)]
fn working_directory(scratch: &mut Scratch, at: usize) {
    let Ok(fs) = read::<Address>(task::current(), of::TASK_FS()) else {
        return;
    };
    let (Ok(dentry), Ok(mount)) = (
        read::<Address>(fs, of::FS_PWD() + of::PATH_DENTRY()),
        read::<Address>(fs, of::FS_PWD() + of::PATH_MNT()),
    ) else {
        return;
    };
    file::render(dentry, mount, scratch, at);
}

/// Copies the file name that was given to execve, without its final zero. For a script it is the script's.
#[inline(always)]
fn file_name(bprm: Address, scratch: &mut Scratch, at: usize) -> u32 {
    let Ok(name) = read::<Address>(bprm, of::BPRM_FILENAME()) else {
        return 0;
    };
    let place = bounded::<0x1fff>(at);
    if place > OUT - MAX_FILE {
        return 0;
    }
    // SAFETY: `place` leaves room for the most that is copied.
    let copied = unsafe {
        bpf_probe_read_kernel_str(
            scratch.out.as_mut_ptr().add(place).cast(),
            MAX_FILE as u32,
            name as *const _,
        )
    };
    if copied <= 1 || copied > MAX_FILE as i64 {
        0
    } else {
        copied as u32 - 1
    }
}

/// Copies the start of the arguments.
#[inline(always)]
fn arguments(scratch: &mut Scratch, at: usize) -> (u32, u32) {
    let Ok(mm) = read::<Address>(task::current(), of::TASK_MM()) else {
        return (0, 0);
    };
    let (Ok(start), Ok(end)) = (
        read::<u64>(mm, of::MM_ARG_START()),
        read::<u64>(mm, of::MM_ARG_END()),
    ) else {
        return (0, 0);
    };
    let total = end.saturating_sub(start) as u32;
    let len = if total > MAX_ARGV as u32 {
        MAX_ARGV as u32
    } else {
        total
    };
    let place = bounded::<0x1fff>(at);
    if place > OUT - 2 * MAX_ARGV || len == 0 {
        return (0, total);
    }
    let len = bounded::<0x7ff>(len as usize) as u32;
    // SAFETY: `place` leaves room for the most that is copied.
    let failed =
        unsafe { bpf_probe_read_user(scratch.out.as_mut_ptr().add(place).cast(), len, start as *const _) };
    if failed != 0 { (0, total) } else { (len, total) }
}
