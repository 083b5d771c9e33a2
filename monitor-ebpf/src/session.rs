//! Is this task in a session, and which.

use core::arch::asm;

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use scopeward_abi::member::{Member, Session, UNHELD};

use crate::{
    kernel::task,
    maps::{IS_MEMBER, MEMBERS, SESSIONS},
};

/// Process and thread id of the running task.
#[inline(always)]
pub fn ids() -> (u32, u32) {
    let both = bpf_get_current_pid_tgid();
    ((both >> 32) as u32, both as u32)
}

/// A clock tick of `/proc`, ns: what the daemon reads of a process's start is cut to it.
const TICK_NS: u64 = 10_000_000;

/// The word of a process id in [`IS_MEMBER`], and its bit there.
#[inline(always)]
fn bit_of(tgid: u32) -> Option<(*mut u64, u64)> {
    Some((IS_MEMBER.get_ptr_mut(tgid >> 6)?, 1 << (tgid & 63)))
}

/// Whether a process can be a member: false for nearly all that are none.
#[inline(always)]
pub fn is_marked(tgid: u32) -> bool {
    let Some((word, bit)) = bit_of(tgid) else {
        return true;
    };
    // SAFETY: a value of a map, which others change with atomic instructions.
    unsafe { core::ptr::read_volatile(word) & bit != 0 }
}

/// Has a process looked for.
#[inline(always)]
pub fn mark(tgid: u32) {
    if let Some((word, bit)) = bit_of(tgid) {
        // SAFETY: an aligned value of a map; every kernel since 5.12 has the atomic instruction.
        unsafe { asm!("lock *(u64 *)({0} + 0) |= {1}", in(reg) word, in(reg) bit) };
    }
}

/// Makes a process a member. One that there is no room for stays marked.
#[inline(always)]
pub fn enrol(tgid: u32, member: &Member, flags: u64) -> Result<(), i32> {
    mark(tgid);
    MEMBERS.insert(&tgid, member, flags)
}

/// Whether there is room for another member at this moment: by a number that no process has.
#[inline(never)]
pub fn has_room(actor: &Actor) -> bool {
    let nobody = UNHELD | actor.ids.1;
    let member = *actor.member;
    let has = MEMBERS.insert(&nobody, &member, 0).is_ok();
    if has {
        // It was put there a moment ago.
        let _ = MEMBERS.remove(&nobody);
    }
    has
}

/// Ends the membership of the running process, whose last thread this is.
#[inline(always)]
pub fn end(tgid: u32) {
    // Nothing to do about a key that is not there.
    let _ = MEMBERS.remove(&tgid);
    if let Some((word, bit)) = bit_of(tgid) {
        // SAFETY: as above. Nobody gets the number before this process is gone.
        unsafe { asm!("lock *(u64 *)({0} + 0) &= {1}", in(reg) word, in(reg) !bit) };
    }
}

/// The membership of the running process. Everything outside sessions ends with one bit. One that belongs
/// to an earlier process of that number (its end was missed, because it was enrolled while it ended) is not this one's.
#[inline(always)]
pub fn member(tgid: u32) -> Option<&'static mut Member> {
    if !is_marked(tgid) {
        return None;
    }
    own(tgid)
}

/// A call of its own: the frames of the deepest calls together have 512 bytes.
#[inline(never)]
fn own(tgid: u32) -> Option<&'static mut Member> {
    let member = known(tgid)?;
    match task::own_cookie() {
        Ok(cookie) if cookie / TICK_NS != member.cookie / TICK_NS => {
            // Another CPU may have removed it already.
            let _ = MEMBERS.remove(&tgid);
            None
        }
        // What cannot be read is answered as a member.
        _ => Some(member),
    }
}

/// The membership that is kept for a process id, whoever has it now.
#[inline(always)]
pub fn known(tgid: u32) -> Option<&'static mut Member> {
    // SAFETY: a value of a map that only this process's own threads and the daemon change.
    MEMBERS.get_ptr_mut(&tgid).map(|member| unsafe { &mut *member })
}

/// The session of a member.
#[inline(always)]
pub fn session(member: &Member) -> Option<&'static mut Session> {
    // SAFETY: a value of a map; counters are changed with atomic adds.
    SESSIONS
        .get_ptr_mut(&member.session)
        .map(|session| unsafe { &mut *session })
}

/// Who acts, and where it was seen: what every stage of a hook needs.
pub struct Actor {
    /// The process.
    pub member: &'static mut Member,
    /// Its session.
    pub session: &'static mut Session,
    /// Process and thread id.
    pub ids: (u32, u32),
    /// `event::flag::*` so far.
    pub flags: u32,
    /// `event::hook::*`.
    pub hook: u8,
}

impl Actor {
    /// A member as it acts now; `None` where its session is gone.
    #[inline(always)]
    pub fn of(member: &'static mut Member, ids: (u32, u32), hook: u8) -> Option<Self> {
        let session = session(member)?;
        Some(Self {
            member,
            session,
            ids,
            flags: 0,
            hook,
        })
    }
}
