//! Sockets that could reach an address without a connect or send that the other hooks see: raw and ping sockets.

use aya_ebpf::{macros::cgroup_sock, programs::SockContext};
use scopeward_abi::{
    event::{Header, Net, hook, kind, loss},
    member::mode,
    policy::{Policy, flag, response},
};

use crate::{
    emit,
    maps::{POLICIES, SeenKey},
    respond::{self, Power},
    session::{self, Actor, ids},
    verdict,
};

#[repr(C)]
struct SocketEvent {
    header: Header,
    net: Net,
}

const STREAM: u32 = 1;
const DGRAM: u32 = 2;
const TCP: u32 = 6;
const UDP: u32 = 17;
const MPTCP: u32 = 262;

/// `BPF_CGROUP_INET_SOCK_CREATE`. Checked on 6.18. Ordinary TCP and UDP sockets are left to the hooks of their connects
/// and sends; for the rest, outside sessions, one bit. Fails towards refusing.
#[cgroup_sock(sock_create)]
pub fn sock_create(ctx: SockContext) -> i32 {
    // SAFETY: the context's own fields.
    let (family, socket, protocol) = unsafe { ((*ctx.sock).family, (*ctx.sock).type_, (*ctx.sock).protocol) };
    if (socket == STREAM && (protocol == TCP || protocol == MPTCP)) || (socket == DGRAM && protocol == UDP) {
        return 1;
    }
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        return 1;
    };
    // SAFETY: written whole by the daemon.
    let policy = unsafe { POLICIES.get(&member.policy) };
    let (Some(mut actor), Some(policy)) = (Actor::of(member, ids, hook::SOCKET), policy) else {
        emit::lost(hook::SOCKET, loss::UNRESOLVED);
        return 0;
    };
    let net = Net {
        family: family as u16,
        kind: socket as u16,
        protocol: protocol as u16,
        ..Net::default()
    };
    i32::from(judge(&mut actor, policy, net, Power::Refuse) < response::DENY)
}

/// A socket of a family that the cgroup hook is not asked about: packet, vsock, XDP and the like. At the exit of
/// `socket` it exists, so refusing it means ending the process before it can use it. With [`Power::Deny`] IP sockets
/// too; of those that may be the cgroup hook tells. Returns what was applied.
#[inline(never)]
pub fn made(actor: &mut Actor, family: u64, (socket, protocol): (u16, u16), power: Power) -> u8 {
    const UNIX: u64 = 1;
    const INET: u64 = 2;
    const INET6: u64 = 10;
    const NETLINK: u64 = 16;
    const ALG: u64 = 38;
    if family == UNIX || family == NETLINK || family == ALG {
        return response::ALLOW;
    }
    let ip = family == INET || family == INET6;
    // 0: the kind's own, which is TCP or UDP.
    let ordinary = match u32::from(socket) {
        STREAM => matches!(u32::from(protocol), 0 | TCP | MPTCP),
        DGRAM => matches!(u32::from(protocol), 0 | UDP),
        _ => false,
    };
    if ip && (power != Power::Deny || ordinary) {
        return response::ALLOW;
    }
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return respond::without_policy(actor, power);
    };
    let mut net = Net {
        family: family as u16,
        ..Net::default()
    };
    if ip {
        let called_for = verdict::default_endpoint(actor.member, policy).response;
        if called_for < response::DENY || actor.session.mode == mode::OBSERVE {
            return response::ALLOW;
        }
        net.kind = socket;
        net.protocol = protocol;
    }
    judge(actor, policy, net, power)
}

/// No rule can name where such a socket will send, so the default for unknown endpoints answers. Returns what was
/// applied.
#[inline(always)]
fn judge(actor: &mut Actor, policy: &Policy, net: Net, power: Power) -> u8 {
    if policy.flags & flag::RAW_SOCKETS == 0 {
        return response::ALLOW;
    }
    let verdict = verdict::default_endpoint(actor.member, policy);
    let applied = respond::apply(actor, verdict.response, power);
    let key = SeenKey {
        session: actor.member.session,
        object: 0,
        part: u32::from(net.family) << 16 | u32::from(net.kind) << 8 | u32::from(net.protocol) & 255,
        what: u32::from(kind::SOCKET) << 24,
        entry: verdict.entry,
        pad: 0,
    };
    if emit::counted(actor, &key, verdict.response) {
        let mut header = emit::header(kind::SOCKET, actor);
        header.hook = hook::SOCKET;
        header.called_for = verdict.response;
        header.applied = applied;
        header.when = power.when();
        header.entry = verdict.entry;
        emit::send_small(&SocketEvent { header, net }, hook::SOCKET);
    }
    respond::brake(actor, power);
    applied
}
