//! Unix sockets: who is asked to act for the session. Judged by where the other end is really bound, never by the name
//! that was given to the call.

use aya_ebpf::{Global, macros::btf_tracepoint, programs::BtfTracePointContext};
use scopeward_abi::{
    event::{File, Header, flag, hook, kind, loss, when},
    object::ns,
    policy::{flag as policy_flag, response},
};

use crate::{
    emit,
    kernel::{
        file::{self, Facts},
        offsets::Address,
        socket::{self, AF_UNIX, Bound, DGRAM},
        task,
    },
    maps::{POLICIES, SeenKey},
    matching::{self, Hits, Table},
    respond::{self, Power},
    scratch::{self, Scratch, bounded},
    session::{self, Actor, ids},
    tighten, verdict,
};

/// Not 0 where this kernel has the tracepoint of [`data_ready`]; set by the daemon.
#[unsafe(no_mangle)]
static DATA_READY: Global<u32> = Global::new(0);

/// `TP_PROTO(const struct sock *sk)` since 6.3: a socket has something to read. For unix sockets in the task that put
/// it there, whatever system call that was (connect, send, write, splice, io_uring, 32-bit calls): a listening socket
/// has a new connection, another one bytes. Checked on 6.18. Outside sessions: the socket's family, and for unix
/// sockets one bit. Fails towards the scope's strongest rule for sockets.
#[btf_tracepoint(function = "sk_data_ready")]
pub fn data_ready(ctx: BtfTracePointContext) -> i32 {
    let sock = ctx.arg::<*const u8>(0) as u64;
    if socket::family(sock) != Ok(AF_UNIX) {
        return 0;
    }
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        return 0;
    };
    let Some(mut actor) = Actor::of(member, ids, hook::UNIX) else {
        respond::without_session(hook::UNIX);
        return 0;
    };
    if socket::listens(sock) {
        // The connection is there, but nothing can be sent on it before the system call returns.
        judge(&mut actor, sock, kind::UNIX_CONNECT, when::BEFORE_USE);
    } else if socket::kind(sock) == Ok(DGRAM) || !connected_inside(&actor, sock) {
        judge(&mut actor, sock, kind::UNIX_SEND, when::AFTER);
    }
    0
}

/// Whether a process of this session made the connection, which was judged then. What was connected before the session
/// held it, or was received from outside, is judged as it is used.
#[inline(always)]
pub fn connected_inside(actor: &Actor, sock: Address) -> bool {
    socket::connected_by(sock)
        .ok()
        .and_then(session::known)
        .is_some_and(|member| member.session == actor.member.session)
}

/// The exit of a `connect` that did not fail. Datagram sockets have no listener that would be told, and before 6.3 none
/// is: the peer is known now, and nothing was sent yet.
#[inline(always)]
pub fn connected(actor: &mut Actor, fd: u64) {
    // It was a socket, or the call would have failed: where there is none now, another thread has closed it or put
    // another file there, and it is answered as what cannot be resolved.
    let sock = task::file(task::current(), fd)
        .ok()
        .and_then(socket::of_file)
        .unwrap_or(0);
    if sock != 0
        && (socket::family(sock).is_ok_and(|family| family != AF_UNIX)
            || (DATA_READY.load() != 0 && socket::kind(sock).is_ok_and(|kind| kind != DGRAM)))
    {
        return;
    }
    let peer = socket::peer(sock);
    // One that was parted from its peer has none.
    if peer != Ok(0) {
        actor.hook = hook::UNIX;
        judge(actor, peer.unwrap_or(0), kind::UNIX_CONNECT, when::BEFORE_USE);
    }
}

#[repr(C)]
struct UnixEvent {
    header: Header,
    file: File,
}

/// What can be done at a moment.
#[inline(always)]
fn power(at: u8) -> Power {
    if at == when::BEFORE_ACT {
        Power::Deny
    } else {
        Power::Signal
    }
}

/// Decides, acts, and says so. Returns what was applied.
#[inline(always)]
pub fn judge(actor: &mut Actor, sock: Address, of_kind: u8, at: u8) -> u8 {
    let Some(scratch) = scratch::acquire() else {
        return blind(actor, power(at));
    };
    let mut applied = response::ALLOW;
    if resolve(actor.member.policy, sock, scratch) {
        applied = answer(actor, sock, u32::from(of_kind) << 8 | u32::from(at), scratch);
    }
    scratch::release(scratch);
    applied
}

/// Without working memory: answered as what cannot be resolved, and counted.
#[inline(never)]
fn blind(actor: &mut Actor, power: Power) -> u8 {
    emit::lost(actor.hook, loss::SCRATCH);
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return respond::without_policy(actor, power);
    };
    let hits = Hits {
        unresolved: 1,
        ..Hits::default()
    };
    let verdict = verdict::socket(actor.member, policy, &hits);
    respond::apply(actor, verdict.response, power)
}

/// Finds out where the socket is bound, and what that matches; false where it is bound nowhere. Into the scratch, so
/// that this frame is gone when it is answered.
#[inline(never)]
fn resolve(number: u32, sock: Address, scratch: &mut Scratch) -> bool {
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&number) }) else {
        // Answered as such.
        return true;
    };
    scratch.facts = Facts {
        links: 1,
        ..Facts::default()
    };
    scratch.socket_name = 0;
    let mut table = Table {
        ns: number | ns::SOCKETS,
        flags: policy.flags >> policy_flag::SOCKET_SHIFT,
        shape_count: policy.socket_shape_count,
        shapes: &policy.socket_shapes,
    };
    match socket::bound(sock, scratch) {
        Bound::Nowhere => return false,
        Bound::Path(dentry, mount) => {
            if let Ok(facts) = file::placed(dentry, mount) {
                scratch.facts = facts;
                matching::find(&table, scratch);
                return true;
            }
        }
        Bound::Abstract => {
            table.ns = number | ns::ABSTRACT;
            matching::find_name(&table, scratch);
            scratch.socket_name = matching::whole_name(scratch);
            return true;
        }
        Bound::Unknown => {}
    }
    scratch.hits = Hits::default();
    scratch.hits.unresolved = 1;
    true
}

/// `what`: the event's kind << 8 | when. Returns what was applied.
#[inline(never)]
fn answer(actor: &mut Actor, sock: Address, what: u32, scratch: &mut Scratch) -> u8 {
    let power = power(what as u8);
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return respond::without_policy(actor, power);
    };
    let mut verdict = verdict::socket(actor.member, policy, &scratch.hits);
    let socket = (
        kind::UNIX_CONNECT,
        scratch.facts.inode | scratch.socket_name,
        scratch.facts.dev,
    );
    tighten::hold(actor, policy, &mut verdict, socket, 1);
    let applied = respond::apply(actor, verdict.response, power);
    if scratch.hits.unresolved != 0 {
        actor.flags |= flag::UNRESOLVED;
        emit::lost(actor.hook, loss::UNRESOLVED);
    }
    let of_kind = (what >> 8) as u8;
    let key = SeenKey {
        session: actor.member.session,
        object: scratch.facts.inode | scratch.socket_name,
        part: scratch.facts.dev,
        what: u32::from(of_kind) << 24,
        entry: verdict.entry,
        pad: 0,
    };
    let told = emit::counted(actor, &key, verdict.response);
    respond::brake(actor, power);
    if !told {
        return applied;
    }
    if scratch.socket_name != 0 {
        actor.flags |= flag::ABSTRACT;
        name_into(sock, scratch);
    } else {
        let (dentry, mount) = (scratch.facts.dentry, scratch.facts.mount);
        file::render(dentry, mount, scratch, size_of::<UnixEvent>());
        if scratch.cut != 0 {
            actor.flags |= flag::TRUNCATED;
        }
    }
    let (len, facts) = (scratch.used, scratch.facts);
    // SAFETY: `out` is longer than the event, and starts at the start of an aligned struct. It is filled where it is,
    // because the frames of all calls together have 512 bytes.
    let event = unsafe { &mut *scratch.out.as_mut_ptr().cast::<UnixEvent>() };
    event.header = emit::header(of_kind, actor);
    event.header.called_for = verdict.response;
    event.header.applied = applied;
    event.header.when = what as u8;
    event.header.entry = verdict.entry;
    event.header.strings = len as u16;
    event.file.inode = facts.inode;
    event.file.dev = facts.dev;
    event.file.mode = facts.mode;
    emit::send(
        scratch,
        size_of::<UnixEvent>() + bounded::<0xfff>(len as usize),
        actor.hook,
    );
    applied
}

/// Copies the abstract name behind the event.
#[inline(always)]
fn name_into(sock: Address, scratch: &mut Scratch) {
    scratch.used = 0;
    if let Bound::Abstract = socket::bound(sock, scratch) {
        scratch.used = scratch.name_len;
        // SAFETY: `out` is longer than the event and 128 bytes; `name` has 256.
        unsafe {
            core::ptr::copy_nonoverlapping(
                scratch.name.as_ptr().cast::<u64>(),
                scratch.out.as_mut_ptr().add(size_of::<UnixEvent>()).cast::<u64>(),
                16,
            );
        }
    }
}
