//! What every security hook does first.

use scopeward_abi::{
    event::{flag, loss},
    policy::response,
};

use crate::{
    emit,
    hooks::fork,
    respond,
    session::{self, Actor, ids},
};

/// The arguments of the hooked function, a word each.
pub type Arguments = *const u64;

/// `-EPERM`.
const REFUSED: i32 = -1;

/// Asks `act` about an act of a session, which returns what it applied. Outside sessions: one bit. Fails
/// towards refusing.
#[inline(always)]
pub fn held(hook: u8, act: impl FnOnce(&mut Actor) -> u8) -> i32 {
    let ids = ids();
    let Some(member) = session::member(ids.0) else {
        // One for which there was no room in its session has no answer but this.
        let is_stray = session::is_marked(ids.0) && fork::stray();
        return if is_stray { REFUSED } else { 0 };
    };
    let Some(mut actor) = Actor::of(member, ids, hook) else {
        emit::lost(hook, loss::UNRESOLVED);
        return REFUSED;
    };
    actor.flags = flag::SECURITY;
    if respond::settle(&mut actor) {
        return REFUSED;
    }
    if act(&mut actor) >= response::DENY {
        REFUSED
    } else {
        0
    }
}
