//! The brake: a burst of cuts is stopped while it happens, not once the daemon has read of it.
//!
//! It counts less than the daemon's ledger does, never more: each rule and object once (a repeat, and different kinds
//! of acts, are left to the daemon), in a window that begins with a cut and is not moved on until it is over. What it
//! stops, the ledger therefore stops as well, and says why.

use scopeward_abi::{
    event::flag,
    member::{Counts, mode},
    policy::EntryKey,
};

use crate::{
    emit::{add, now},
    maps::{ENTRIES, POLICIES, SEEN_CUTS, SeenKey},
    session::Actor,
};

/// In place of the kind of act: rules and objects that the brake has counted.
const COUNTED: u32 = 0xff << 24;

/// Counts a cut that was not seen before, and sets [`flag::BRAKED`] where it is one too many.
#[inline(always)]
pub fn count(actor: &mut Actor, key: &SeenKey, counts: &mut Counts) {
    if actor.session.mode == mode::OBSERVE {
        return;
    }
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return;
    };
    if policy.brake_weight == 0 {
        return;
    }
    let once = SeenKey {
        what: COUNTED,
        ..*key
    };
    if SEEN_CUTS.get_ptr(&once).is_some() {
        return;
    }
    // One that cannot be stored may be counted twice.
    let _ = SEEN_CUTS.insert(&once, &1, 0);
    add_up(actor, key.entry, counts);
}

/// Counts a cut about an object that no other cut is about.
#[inline(always)]
pub fn add_up(actor: &mut Actor, entry: u32, counts: &mut Counts) {
    if actor.session.mode == mode::OBSERVE {
        return;
    }
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return;
    };
    if policy.brake_weight == 0 {
        return;
    }
    let entry = EntryKey {
        policy: actor.member.policy,
        entry,
    };
    // SAFETY: written whole by the daemon.
    let weight = unsafe { ENTRIES.get(&entry) }.map_or(1, |entry| u64::from(entry.weight));
    let now = now();
    if now.saturating_sub(counts.brake_start) >= policy.brake_within {
        // Two CPUs that both begin a window lose a cut of it at most.
        counts.brake_start = now;
        counts.brake_sum = 0;
    }
    add(&mut counts.brake_sum, weight);
    if weight > 0 && counts.brake_sum >= u64::from(policy.brake_weight) {
        actor.flags |= flag::BRAKED;
    }
}
