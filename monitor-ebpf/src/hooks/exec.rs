//! Programs: labels, exec rules, and the processes that become roots of sessions.

use aya_ebpf::{
    helpers::{generated::bpf_probe_read_kernel_str, generated::bpf_probe_read_user},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use scopeward_abi::{
    event::{Exec, Header, MAX_ARGV, MAX_FILE, flag, hook, kind, loss, when},
    object::ns,
    policy::{Policy, flag as policy_flag, response},
};

use crate::{
    emit, grant,
    kernel::{
        file::{self, Facts},
        offsets::{Address, of, read},
        task,
    },
    maps::{MATCHING, POLICIES, SeenKey},
    matching::{self, Hits, Table},
    respond::{self, Power},
    scratch::{self, OUT, Scratch, bounded},
    session::{self, Actor, ids},
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
            Some(&matching) if matching != 0 => outside(bprm, ids),
            _ => {}
        }
        return 0;
    };
    let Some(mut actor) = Actor::of(member, ids, hook::EXEC) else {
        return 0;
    };
    executed(&mut actor, bprm);
    respond::settle(&mut actor);
    0
}

#[inline(always)]
fn program(bprm: Address) -> Result<Facts, i32> {
    let address: Address = read(bprm, of::BPRM_FILE())?;
    file::facts(address)
}

/// A program outside sessions that fits a `[[match]]`: the daemon looks at arguments and owner, and enrols it.
#[inline(never)]
fn outside(bprm: Address, ids: (u32, u32)) {
    if is_matched_program(bprm) {
        candidate(bprm, ids);
    }
}

#[inline(always)]
fn is_matched_program(bprm: Address) -> bool {
    // SAFETY: written whole by the daemon.
    let (Ok(facts), Some(policy)) = (program(bprm), unsafe { POLICIES.get(&0) }) else {
        return false;
    };
    let Some(scratch) = scratch::acquire() else {
        emit::lost(hook::EXEC, loss::SCRATCH);
        return false;
    };
    let table = Table {
        ns: ns::EXEC | ns::MATCH,
        flags: policy.flags >> policy_flag::EXEC_SHIFT,
        shape_count: policy.exec_shape_count,
        shapes: &policy.exec_shapes,
    };
    let hits = matching::find(&table, &facts, scratch);
    scratch::release();
    hits.mask != 0
}

/// Tells the daemon of a process outside sessions whose program fits a `[[match]]`.
#[inline(never)]
fn candidate(bprm: Address, ids: (u32, u32)) {
    let header = Header {
        version: scopeward_abi::ABI_VERSION,
        kind: kind::EXEC,
        hook: hook::EXEC,
        tid: ids.1,
        tgid: ids.0,
        time: emit::now(),
        cookie: task::cookie(task::current()).unwrap_or(0),
        flags: flag::CANDIDATE,
        ..Header::default()
    };
    report(&header, bprm, program(bprm).ok().as_ref());
}

/// An exec of a session.
#[inline(always)]
fn executed(actor: &mut Actor, bprm: Address) {
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return;
    };
    let facts = program(bprm).ok();
    let mut verdict = judge(actor, policy, facts.as_ref());
    if let Some(facts) = facts.as_ref()
        && verdict.response > response::ALLOW
        && grant::program(actor.member.session, facts)
    {
        verdict.response = response::ALLOW;
        actor.flags |= flag::GRANTED;
    }
    let applied = respond::apply(actor, verdict.response, Power::Signal);
    if verdict.sanctioned {
        actor.flags |= flag::SANCTIONED;
    }
    if let Some(facts) = facts.as_ref() {
        let key = SeenKey {
            session: actor.member.session,
            object: facts.inode,
            part: facts.dev,
            what: u32::from(kind::EXEC) << 24 | actor.flags & flag::GRANTED,
            entry: verdict.entry,
            pad: 0,
        };
        // Every exec is told, because processes are attributed by it; a flood of refused ones is held to the quota.
        let told = emit::counted(actor, &key, verdict.response);
        respond::brake(actor, Power::Signal);
        if !told && verdict.response != response::ALLOW {
            return;
        }
    }
    let mut header = emit::header(kind::EXEC, actor);
    header.called_for = verdict.response;
    header.applied = applied;
    header.when = when::BEFORE_USE;
    header.entry = verdict.entry;
    report(&header, bprm, facts.as_ref());
}

/// Labels the process by its program, and decides.
#[inline(never)]
fn judge(actor: &mut Actor, policy: &Policy, facts: Option<&Facts>) -> Verdict {
    let mut hits = Hits::default();
    let mut as_file = Hits::default();
    match (facts, scratch::acquire()) {
        (Some(facts), Some(scratch)) => {
            let programs = Table {
                ns: ns::EXEC | actor.member.policy,
                flags: policy.flags >> policy_flag::EXEC_SHIFT,
                shape_count: policy.exec_shape_count,
                shapes: &policy.exec_shapes,
            };
            hits = matching::find(&programs, facts, scratch);
            let files = Table {
                ns: actor.member.policy,
                flags: policy.flags,
                shape_count: policy.shape_count,
                shapes: &policy.shapes,
            };
            as_file = matching::find(&files, facts, scratch);
            scratch::release();
        }
        (None, Some(_)) => {
            scratch::release();
            hits.unresolved = 1;
        }
        (_, None) => {
            emit::lost(hook::EXEC, loss::SCRATCH);
            hits.unresolved = 1;
        }
    }
    if hits.unresolved | as_file.unresolved != 0 {
        emit::lost(hook::EXEC, loss::UNRESOLVED);
        actor.flags |= flag::UNRESOLVED;
    }
    actor.member.lineage |= actor.member.labels;
    actor.member.labels = hits.mask;
    let verdict = verdict::exec(actor.member, policy, &hits);
    // Executing a guarded file reads it.
    let read = verdict::file(actor.member, policy, &as_file, true, false);
    if read.response > verdict.response {
        read
    } else {
        verdict
    }
}

#[repr(C)]
struct ExecEvent {
    header: Header,
    exec: Exec,
}

/// Tells of an exec: program, working directory, the name that was given, arguments.
#[inline(never)]
fn report(told: &Header, bprm: Address, facts: Option<&Facts>) {
    let mut header = *told;
    let Some(scratch) = scratch::acquire() else {
        emit::lost(hook::EXEC, loss::SCRATCH);
        return;
    };
    let start = size_of::<ExecEvent>();
    let mut at = start;
    let mut exec = Exec {
        ppid: task::ppid(task::current()).unwrap_or(0),
        ..Exec::default()
    };
    exec.uid = task::euid(task::current()).unwrap_or(u32::MAX);
    if let Some(facts) = facts {
        exec.inode = facts.inode;
        exec.dev = facts.dev;
        if facts.links == 0 {
            header.flags |= flag::DELETED;
        }
        file::render(facts.dentry, facts.mount, scratch, at);
        exec.path = scratch.used as u16;
        at += bounded::<0xfff>(scratch.used as usize);
        if scratch.cut != 0 {
            header.flags |= flag::TRUNCATED;
        }
    }
    working_directory(scratch, at);
    exec.cwd = scratch.used as u16;
    at += bounded::<0xfff>(scratch.used as usize);
    if scratch.cut != 0 {
        header.flags |= flag::TRUNCATED;
    }
    let len = file_name(bprm, scratch, at);
    exec.file = len as u16;
    at += bounded::<0x1ff>(len as usize);
    let (len, total) = arguments(scratch, at);
    exec.argv = len as u16;
    exec.argv_total = total;
    at += bounded::<0xfff>(len as usize);
    header.strings = (at - start) as u16;
    // SAFETY: `out` is longer than the event.
    unsafe { core::ptr::write_unaligned(scratch.out.as_mut_ptr().cast(), ExecEvent { header, exec }) };
    emit::send(scratch, bounded::<0x1fff>(at), hook::EXEC);
    scratch::release();
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
