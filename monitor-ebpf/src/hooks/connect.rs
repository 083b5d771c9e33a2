//! Connects and sends to an address. The cgroup layer sees every way to one: TCP Fast Open, MPTCP, unconnected UDP,
//! io_uring, 32-bit calls.

use aya_ebpf::{macros::cgroup_sock_addr, programs::SockAddrContext};
use scopeward_abi::{
    event::{Header, Net, flag, hook, kind, loss},
    member::mode,
    policy::response,
};

use crate::{
    emit, grant, identity,
    maps::{POLICIES, SeenKey},
    respond::{self, Power},
    session::{self, Actor, ids},
    tighten, verdict,
};

const ALLOW: i32 = 1;
const REFUSE: i32 = 0;

/// `BPF_CGROUP_INET4_CONNECT`. Checked on 6.18. Outside sessions: one bit. Fails towards refusing.
#[cgroup_sock_addr(connect4)]
pub fn connect4(ctx: SockAddrContext) -> i32 {
    inet4(&ctx, hook::CONNECT, kind::CONNECT)
}

/// `BPF_CGROUP_INET6_CONNECT`, also for v4-mapped addresses.
#[cgroup_sock_addr(connect6)]
pub fn connect6(ctx: SockAddrContext) -> i32 {
    inet6(&ctx, hook::CONNECT, kind::CONNECT)
}

/// `BPF_CGROUP_UDP4_SENDMSG`: sends that name an address, on connected sockets too.
#[cgroup_sock_addr(sendmsg4)]
pub fn sendmsg4(ctx: SockAddrContext) -> i32 {
    inet4(&ctx, hook::SEND, kind::SEND)
}

/// `BPF_CGROUP_UDP6_SENDMSG`.
#[cgroup_sock_addr(sendmsg6)]
pub fn sendmsg6(ctx: SockAddrContext) -> i32 {
    inet6(&ctx, hook::SEND, kind::SEND)
}

#[inline(always)]
fn inet4(ctx: &SockAddrContext, hook: u8, kind: u8) -> i32 {
    asked(ctx, hook, kind, || {
        // SAFETY: the context's own fields.
        let ip = unsafe { (*ctx.sock_addr).user_ip4 };
        let mut addr = [0u8; 16];
        addr[10] = 0xff;
        addr[11] = 0xff;
        addr[12..16].copy_from_slice(&ip.to_ne_bytes());
        addr
    })
}

#[inline(always)]
fn inet6(ctx: &SockAddrContext, hook: u8, kind: u8) -> i32 {
    asked(ctx, hook, kind, || {
        let mut addr = [0u8; 16];
        // SAFETY: the context's own fields, read word by word as the verifier asks.
        unsafe {
            addr[0..4].copy_from_slice(&(*ctx.sock_addr).user_ip6[0].to_ne_bytes());
            addr[4..8].copy_from_slice(&(*ctx.sock_addr).user_ip6[1].to_ne_bytes());
            addr[8..12].copy_from_slice(&(*ctx.sock_addr).user_ip6[2].to_ne_bytes());
            addr[12..16].copy_from_slice(&(*ctx.sock_addr).user_ip6[3].to_ne_bytes());
        }
        addr
    })
}

#[inline(always)]
fn asked(ctx: &SockAddrContext, hook: u8, kind: u8, addr: impl FnOnce() -> [u8; 16]) -> i32 {
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        return ALLOW;
    };
    let Some(mut actor) = Actor::of(member, ids, hook) else {
        emit::lost(hook, loss::UNRESOLVED);
        return REFUSE;
    };
    named(ctx, &mut actor, &addr(), kind)
}

/// Answers what the context names.
#[inline(always)]
fn named(ctx: &SockAddrContext, actor: &mut Actor, addr: &[u8; 16], kind: u8) -> i32 {
    // SAFETY: the context's own fields.
    let net = unsafe {
        Net {
            addr: *addr,
            port: u16::from_be((*ctx.sock_addr).user_port as u16),
            family: (*ctx.sock_addr).family as u16,
            kind: (*ctx.sock_addr).type_ as u16,
            protocol: (*ctx.sock_addr).protocol as u16,
        }
    };
    if reach(actor, &net, kind, Power::Refuse) >= response::DENY {
        REFUSE
    } else {
        ALLOW
    }
}

#[repr(C)]
struct NetEvent {
    header: Header,
    net: Net,
}

/// An address in 64 bits.
#[inline(always)]
fn folded(addr: &[u8; 16]) -> u64 {
    let (high, low) = (
        u64::from_ne_bytes([
            addr[0], addr[1], addr[2], addr[3], addr[4], addr[5], addr[6], addr[7],
        ]),
        u64::from_ne_bytes([
            addr[8], addr[9], addr[10], addr[11], addr[12], addr[13], addr[14], addr[15],
        ]),
    );
    high.rotate_left(17) ^ low
}

/// Answers reaching an address, and returns what was applied. With [`Power::Deny`] what goes on is not counted: the
/// cgroup hooks are asked about it next.
#[inline(never)]
pub fn reach(actor: &mut Actor, net: &Net, kind: u8, power: Power) -> u8 {
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        emit::lost(actor.hook, loss::UNRESOLVED);
        return response::DENY;
    };
    /// `IPPROTO_MPTCP` and `IPPROTO_TCP`: an MPTCP connect is a TCP connect to whoever writes a scope.
    const MPTCP: u16 = 262;
    const TCP: u8 = 6;
    let ruled = if net.protocol == MPTCP {
        TCP
    } else {
        net.protocol as u8
    };
    let addr = &net.addr;
    let mut verdict = verdict::endpoint(actor.member, policy, addr, net.port, ruled);
    if let Some(borrowed) = identity::answer(actor.member, policy, net.port, ruled) {
        actor.flags |= flag::LENT;
        if borrowed.response >= verdict.response {
            verdict = borrowed;
        }
    }
    let object = folded(addr);
    let part = u32::from(net.port) << 16 | u32::from(ruled);
    tighten::hold(actor, policy, &mut verdict, (kind::CONNECT, object, part), 1);
    if verdict.response > response::ALLOW
        && grant::endpoint(
            actor.member.session,
            addr,
            (net.port, ruled),
            power != Power::Deny,
        )
    {
        verdict.response = response::ALLOW;
        actor.flags |= flag::GRANTED;
    }
    if power == Power::Deny && (verdict.response < response::DENY || actor.session.mode == mode::OBSERVE) {
        return response::ALLOW;
    }
    let applied = respond::apply(actor, verdict.response, power);
    let key = SeenKey {
        session: actor.member.session,
        object,
        part,
        what: u32::from(kind) << 24 | actor.flags & (flag::GRANTED | flag::LENT),
        entry: verdict.entry,
        pad: 0,
    };
    if emit::counted(actor, &key, verdict.response) {
        let mut header = emit::header(kind, actor);
        header.called_for = verdict.response;
        header.applied = applied;
        header.when = power.when();
        header.entry = verdict.entry;
        emit::send_small(&NetEvent { header, net: *net }, actor.hook);
    }
    respond::brake(actor, power);
    applied
}
