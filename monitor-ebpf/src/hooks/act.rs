//! Acts that one key of the scope answers, whatever they are done to.

use scopeward_abi::{
    event::{Header, Other, flag as event_flag},
    member::flag,
};

use crate::{
    emit,
    maps::SeenKey,
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
        let mut header = emit::header(kind, actor);
        header.called_for = verdict.response;
        header.applied = applied;
        header.when = what as u8;
        header.entry = verdict.entry;
        emit::send_small(
            &ActEvent {
                header,
                other: *other,
            },
            actor.hook,
        );
    }
    // The hook may go on to tell of what the act was done with, which did not stop the session.
    actor.flags &= !event_flag::BRAKED;
    applied
}

/// Has a new process end as its parent does.
#[inline(always)]
pub fn doom(flags: &mut u32) {
    *flags |= flag::DOOMED;
}
