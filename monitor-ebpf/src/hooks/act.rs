//! Acts that one key of the scope answers, whatever they are done to.

use scopeward_abi::{
    event::{Header, Other, flag as event_flag, loss},
    member::{flag, mode},
    policy::response,
};

use crate::{
    emit,
    maps::{RING, SeenKey},
    respond::{self, Power},
    session::Actor,
    verdict,
};

#[repr(C)]
struct ActEvent {
    header: Header,
    other: Other,
}

/// An act without an object.
pub const NOTHING: Other = Other {
    pid: 0,
    call: 0,
    detail: 0,
    name: [0; 64],
};

/// Decides by `entry`, acts, and says so. `what`: the event's kind << 8 | when. Returns what was applied.
#[inline(never)]
pub fn judge(actor: &mut Actor, other: &Other, entry: u32, what: u32, power: Power) -> u8 {
    let verdict = verdict::by_entry(actor.member, entry);
    let applied = respond::apply(actor, verdict.response, power);
    let kind = (what >> 8) as u8;
    let key = SeenKey {
        session: actor.member.session,
        object: u64::from(other.pid) << 32 | other.detail & 0xffff_ffff,
        part: other.call,
        what: u32::from(kind) << 24,
        entry: verdict.entry,
        pad: 0,
    };
    let told = emit::counted(actor, &key, verdict.response);
    respond::brake(actor, power);
    if told {
        send(actor, other, what, [verdict.response, applied], verdict.entry);
    }
    // The hook may go on to tell of what the act was done with, which did not stop the session.
    actor.flags &= !event_flag::BRAKED;
    applied
}

/// The same for an act that another hook is asked about next, which tells of what goes on: only refuses.
#[inline(always)]
pub fn refuse(actor: &mut Actor, other: &Other, entry: u32, what: u32) -> u8 {
    let called_for = verdict::by_entry(actor.member, entry).response;
    if called_for < response::DENY || actor.session.mode == mode::OBSERVE {
        return response::ALLOW;
    }
    judge(actor, other, entry, what, Power::Deny)
}

/// Tells of the act: the event is filled in the ring itself, because the frames of all calls together have 512 bytes.
#[inline(always)]
fn send(actor: &Actor, other: &Other, what: u32, [called_for, applied]: [u8; 2], entry: u32) {
    let Some(mut place) = RING.reserve::<ActEvent>(0) else {
        emit::lost(actor.hook, loss::RING);
        return;
    };
    let event = place.as_mut_ptr();
    // SAFETY: the reserved bytes, as many as the event has, and all of them are written.
    unsafe {
        (*event).header = emit::header((what >> 8) as u8, actor);
        (*event).header.called_for = called_for;
        (*event).header.applied = applied;
        (*event).header.when = what as u8;
        (*event).header.entry = entry;
        (*event).other = *other;
    }
    place.submit(0);
}

/// Has a new process end as its parent does.
#[inline(always)]
pub fn doom(flags: &mut u32) {
    *flags |= flag::DOOMED;
}
