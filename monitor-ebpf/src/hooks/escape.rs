//! Ways out of the session, ways to see things under other names, and bpf.

use aya_ebpf::{
    helpers::generated::bpf_probe_read_kernel_str, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use scopeward_abi::{
    event::{Other, call, hook, kind, when},
    policy::{Policy, response},
    syscall::class,
};

use crate::{
    hooks::act::{self, NOTHING},
    kernel::{
        call::{self as calls, Call},
        file::{self, FMODE_WRITE, word},
        offsets::{Address, Memory as _, Typed, of, read},
        task,
    },
    maps::POLICIES,
    respond::{self, Power},
    session::{self, Actor, ids},
};

fn policy(actor: &Actor) -> Option<&'static Policy> {
    // SAFETY: written whole by the daemon.
    unsafe { POLICIES.get(&actor.member.policy) }
}

const fn what(kind: u8) -> u32 {
    (kind as u32) << 8 | when::BEFORE_USE as u32
}

const fn before(kind: u8) -> u32 {
    (kind as u32) << 8 | when::BEFORE_ACT as u32
}

/// `CLONE_NEWNS`.
const MOUNTS: u64 = 0x0002_0000;
/// `CLONE_NEWUSER`.
const USERS: u64 = 0x1000_0000;
/// `CLONE_INTO_CGROUP`.
const INTO_CGROUP: u64 = 1 << 33;
/// What a child can be given that leaves its session's place.
pub const ELSEWHERE: u64 = MOUNTS | INTO_CGROUP;
/// Things can be seen under other names there.
const OTHER_NAMES: u64 = MOUNTS | USERS;

/// The exit of a system call that did not fail, or a security hook in it; its number, and its first argument. Returns
/// what was applied.
#[inline(always)]
pub fn called(actor: &mut Actor, of_call: u8, (number, first): (u64, u64), power: Power) -> u8 {
    /// `BPF_OBJ_GET`, `BPF_PROG_DETACH`, `BPF_PROG_GET_NEXT_ID`, `BPF_MAP_GET_NEXT_ID`, `BPF_PROG_GET_FD_BY_ID`,
    /// `BPF_MAP_GET_FD_BY_ID`, `BPF_LINK_GET_FD_BY_ID`, `BPF_LINK_GET_NEXT_ID`, `BPF_LINK_DETACH`: what leads to
    /// programs and maps that others have loaded.
    const FINDS: u64 = 1 << 7 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 30 | 1 << 31 | 1 << 34;
    let Some(policy) = policy(actor) else {
        return respond::without_policy(actor, power);
    };
    let (entry, of_kind, by, detail) = match of_call {
        class::SETNS => (policy.leave, kind::NAMESPACE, call::SETNS, 0),
        class::UNSHARE if first & OTHER_NAMES != 0 => {
            (policy.mount, kind::NAMESPACE, call::UNSHARE, first & OTHER_NAMES)
        }
        class::MOUNT => (policy.mount, kind::MOUNT, call::MOUNT, number),
        class::BPF if FINDS >> (first & 63) & 1 != 0 => (policy.tamper, kind::TAMPER, call::BPF, first),
        _ => return response::ALLOW,
    };
    let other = Other {
        call: by,
        detail,
        ..NOTHING
    };
    actor.hook = hook::ESCAPE;
    let of_kind = u32::from(of_kind) << 8;
    act::judge(actor, &other, entry, of_kind | u32::from(power.when()), power)
}

/// A security hook asks whether the running task may do what takes `CAP_SYS_ADMIN` or `CAP_SYS_CHROOT`: the only
/// question that the kernel asks about namespaces, and about what it calls a mount without a place. Returns what was
/// applied.
#[inline(always)]
pub fn asks(actor: &mut Actor, made: &Call, chroot: bool) -> u8 {
    let applies = match made.class {
        class::SETNS => !chroot,
        // Users of its own are asked about by themselves.
        class::UNSHARE => !chroot && made.first & USERS == 0,
        class::MOUNT => true,
        _ => false,
    };
    if !applies {
        return response::ALLOW;
    }
    called(actor, made.class, (made.number, made.first), Power::Deny)
}

/// A security hook asks about a user namespace. Returns what was applied.
#[inline(always)]
pub fn users(actor: &mut Actor, made: &Call) -> u8 {
    if made.class == class::UNSHARE {
        return called(actor, class::UNSHARE, (made.number, made.first), Power::Deny);
    }
    clones(actor, MOUNTS)
}

/// A security hook asks about a child with these flags of `clone3`; the end of the fork tells of what goes on. Returns
/// what was applied.
#[inline(always)]
pub fn clones(actor: &mut Actor, flags: u64) -> u8 {
    let Some(policy) = policy(actor) else {
        return respond::without_policy(actor, Power::Deny);
    };
    let mut other = Other {
        call: call::CLONE,
        ..NOTHING
    };
    if flags & INTO_CGROUP != 0 {
        other.call = call::CGROUP;
        let applied = act::refuse(actor, &other, policy.leave, before(kind::CGROUP));
        if applied >= response::DENY {
            return applied;
        }
        other.call = call::CLONE;
    }
    // Those in users of their own were asked about already.
    if flags & OTHER_NAMES == MOUNTS {
        return act::refuse(actor, &other, policy.mount, before(kind::NAMESPACE));
    }
    response::ALLOW
}

/// A file that is opened for writing: one that moves processes to a cgroup? What goes on is told by [`moved`]. Returns
/// what was applied.
#[inline(always)]
pub fn opened(actor: &mut Actor, opened: Address) -> u8 {
    /// `CGROUP2_SUPER_MAGIC`, `CGROUP_SUPER_MAGIC`.
    const CGROUP2: u64 = 0x6367_7270;
    const CGROUP: u64 = 0x0027_e0eb;
    /// Names and their lengths.
    const MOVES: [(u64, u32); 3] = [
        (word(b"cgroup.procs"), 12),
        (word(b"cgroup.threads"), 14),
        (word(b"tasks"), 5),
    ];
    let magic = |opened: Address| {
        let mode: u32 = Typed::read(opened, of::FILE_MODE())?;
        if mode & FMODE_WRITE == 0 {
            return Err(0);
        }
        let inode: Address = Typed::read(opened, of::FILE_INODE())?;
        let sb: Address = Typed::read(inode, of::INODE_SB())?;
        Typed::read::<u64>(sb, of::SB_MAGIC())
    };
    let Ok(CGROUP2 | CGROUP) = magic(opened) else {
        return response::ALLOW;
    };
    let beginning = read(opened, of::FILE_PATH() + of::PATH_DENTRY()).and_then(file::beginning);
    let Ok(beginning) = beginning else {
        return response::ALLOW;
    };
    if beginning != MOVES[0] && beginning != MOVES[1] && beginning != MOVES[2] {
        return response::ALLOW;
    }
    let Some(policy) = policy(actor) else {
        return respond::without_policy(actor, Power::Deny);
    };
    let other = Other {
        pid: actor.ids.0,
        call: call::CGROUP,
        ..NOTHING
    };
    act::refuse(actor, &other, policy.leave, before(kind::CGROUP))
}

/// A child that was cloned into another cgroup, or into other mount or user namespaces. True where it has to end.
#[inline(always)]
pub fn cloned(actor: &mut Actor, child: Address, tgid: u32) -> bool {
    let of_fork = actor.hook;
    actor.hook = hook::ESCAPE;
    let ends = into_cgroup(actor, child, tgid) || into_namespaces(actor, child, tgid);
    actor.hook = of_fork;
    ends
}

/// Whether both could be read, and are the same.
#[inline(always)]
fn same(one: Result<Address, i32>, other: Result<Address, i32>) -> bool {
    one.is_ok() && one == other
}

/// Only `clone3` can ask for it; other children are where their parent is.
#[inline(always)]
fn into_cgroup(actor: &mut Actor, child: Address, tgid: u32) -> bool {
    let of = |task: Address| read::<Address>(task, of::TASK_CGROUPS());
    if calls::current().number != calls::CLONE3 || same(of(task::current()), of(child)) {
        return false;
    }
    let Some(policy) = policy(actor) else {
        return respond::without_policy(actor, Power::Signal) == response::KILL;
    };
    let other = Other {
        pid: tgid,
        call: call::CGROUP,
        ..NOTHING
    };
    act::judge(actor, &other, policy.leave, what(kind::CGROUP), Power::Signal) == response::KILL
}

#[inline(always)]
fn into_namespaces(actor: &mut Actor, child: Address, tgid: u32) -> bool {
    let parent = task::current();
    let users = |task: Address| {
        let cred: Address = read(task, of::TASK_CRED())?;
        read::<Address>(cred, of::CRED_USER_NS())
    };
    let mounts = |task: Address| {
        let proxy: Address = read(task, of::TASK_NSPROXY())?;
        read::<Address>(proxy, of::NSPROXY_MNT())
    };
    if same(users(parent), users(child)) && same(mounts(parent), mounts(child)) {
        return false;
    }
    let Some(policy) = policy(actor) else {
        return respond::without_policy(actor, Power::Signal) == response::KILL;
    };
    let other = Other {
        pid: tgid,
        call: call::CLONE,
        ..NOTHING
    };
    act::judge(actor, &other, policy.mount, what(kind::NAMESPACE), Power::Signal) == response::KILL
}

/// `TP_PROTO(struct cgroup *dst_cgrp, const char *path, struct task_struct *task, bool threadgroup)`, in the task that
/// moves another, or itself. Checked on 6.18. Membership follows the process tree and stays; leaving its cgroup takes a
/// process out of what its service manager, and a freeze by cgroup, knows of it.
#[btf_tracepoint(function = "cgroup_attach_task")]
pub fn moved(ctx: BtfTracePointContext) -> i32 {
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        return 0;
    };
    // 0 where it cannot be read: the move is an act, whoever is moved.
    let tgid = task::tgid(ctx.arg::<*const u8>(2) as Address).unwrap_or(0);
    let Some(mut actor) = Actor::of(member, ids, hook::ESCAPE) else {
        respond::without_session(hook::ESCAPE);
        return 0;
    };
    let Some(policy) = policy(&actor) else {
        respond::without_policy(&mut actor, Power::Signal);
        return 0;
    };
    let mut other = Other {
        pid: tgid,
        call: call::CGROUP,
        ..NOTHING
    };
    // SAFETY: the buffer is as long as is said; the helper checks the address, and a failure leaves the name empty.
    unsafe {
        bpf_probe_read_kernel_str(
            other.name.as_mut_ptr().cast(),
            other.name.len() as u32,
            ctx.arg::<*const u8>(1).cast(),
        )
    };
    act::judge(
        &mut actor,
        &other,
        policy.leave,
        what(kind::CGROUP),
        Power::Signal,
    );
    0
}
