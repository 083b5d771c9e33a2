//! Bytes that leave a session between its first cut and its containment, by where they go.

use aya_ebpf::{helpers::generated::bpf_skb_ancestor_cgroup_id, macros::cgroup_skb, programs::SkBuffContext};
use scopeward_abi::{
    event::{hook, loss},
    sent::{Sent, SentKey},
};

use crate::{
    emit::{self, add},
    maps::{CGROUPS, COUNTS, SENT, SESSIONS},
};

/// How deep below the root of cgroup v2 a session's own cgroup can be.
const LEVELS: i32 = 16;
const TCP: u16 = 6;
const UDP: u16 = 17;

/// `BPF_CGROUP_INET_EGRESS`, attached to sessions' own cgroups alone: nobody else pays for it. Checked on 6.18. Lets
/// everything through; what cannot be counted is counted as lost.
#[cgroup_skb]
pub fn sent(ctx: SkBuffContext) -> i32 {
    const PASS: i32 = 1;
    let Some(session) = session_of(&ctx) else {
        return PASS;
    };
    if is_exposed(session) && count(&ctx, session).is_err() {
        emit::lost(hook::SEND, loss::MAP);
    }
    PASS
}

/// The session in whose cgroup, or below it, the packet's socket was made.
#[inline(always)]
fn session_of(ctx: &SkBuffContext) -> Option<u64> {
    for level in 1..LEVELS {
        // SAFETY: the context's own packet.
        let id = unsafe { bpf_skb_ancestor_cgroup_id(ctx.skb.skb, level) };
        if id == 0 {
            return None;
        }
        // SAFETY: written whole by the daemon.
        if let Some(session) = unsafe { CGROUPS.get(&id) } {
            return Some(*session);
        }
    }
    None
}

/// Whether there was a cut since the session began, or since it was last let go on.
#[inline(always)]
fn is_exposed(session: u64) -> bool {
    // SAFETY: written by the daemon.
    let Some(known) = (unsafe { SESSIONS.get(&session) }) else {
        return false;
    };
    // SAFETY: a value of a map; a count that is read late only means that the next packet is the first one.
    let cuts = unsafe { COUNTS.get(&session) }.map_or(0, |counts| counts.cuts);
    known.exposed != 0 || cuts > known.cuts_before
}

#[inline(always)]
fn count(ctx: &SkBuffContext, session: u64) -> Result<(), i64> {
    let mut key = SentKey {
        session,
        ..SentKey::default()
    };
    let version = ctx.load::<u8>(0)? >> 4;
    let header = if version == 4 {
        key.protocol = u16::from(ctx.load::<u8>(9)?);
        key.addr[10] = 0xff;
        key.addr[11] = 0xff;
        key.addr[12..16].copy_from_slice(&ctx.load::<[u8; 4]>(16)?);
        usize::from(ctx.load::<u8>(0)? & 15) * 4
    } else {
        key.protocol = u16::from(ctx.load::<u8>(6)?);
        key.addr = ctx.load::<[u8; 16]>(24)?;
        40
    };
    let transport = match key.protocol {
        TCP => usize::from(ctx.load::<u8>(header + 12)? >> 4) * 4,
        UDP => 8,
        _ => 0,
    };
    if transport != 0 {
        key.port = u16::from_be(ctx.load::<u16>(header + 2)?);
    }
    let bytes = u64::from(ctx.len()).saturating_sub((header + transport) as u64);
    if bytes == 0 {
        return Ok(());
    }
    if SENT.get_ptr_mut(&key).is_none() {
        /// `BPF_NOEXIST`: another CPU may have been faster.
        const NO_EXIST: u64 = 1;
        let _ = SENT.insert(&key, &Sent::default(), NO_EXIST);
    }
    let sent = SENT.get_ptr_mut(&key).ok_or(-1)?;
    // SAFETY: a value of a map; counters are changed with atomic adds.
    let sent = unsafe { &mut *sent };
    add(&mut sent.bytes, bytes);
    add(&mut sent.packets, 1);
    Ok(())
}
