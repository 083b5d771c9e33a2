//! Reserve, submit, count what could not be sent.

use core::arch::asm;

use aya_ebpf::{Global, helpers::generated::bpf_ktime_get_boot_ns};
use scopeward_abi::{
    event::{Header, flag, loss},
    member::Counts,
    policy::response,
};

use crate::brake;
use crate::maps::{COUNTS, LOSSES, RING, SEEN_ACTS, SEEN_CUTS, SeenKey};
use crate::scratch::{OUT, Scratch};
use crate::session::Actor;

/// Nanoseconds of quota that one emitted repeat of a cut uses; set by the daemon (`limits.quota` a second).
#[unsafe(no_mangle)]
static REPEAT_NS: Global<u64> = Global::new(5_000_000);
/// How many repeats can be saved up for a burst.
const BURST: u64 = 64;

/// The boot clock, ns.
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_ktime_get_boot_ns() }
}

/// Adds to a counter that other CPUs change too.
#[inline(always)]
pub fn add(counter: &mut u64, amount: u64) {
    // The target has no atomics for rustc (`target_has_atomic`), but every kernel's BPF has the atomic add (XADD).
    // SAFETY: aligned, and all who change it use atomic adds.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) core::ptr::from_mut(counter), in(reg) amount) };
}

/// Counts a loss of a hook.
#[inline(always)]
pub fn lost(hook: u8, reason: u32) {
    let index = u32::from(hook) * loss::COUNT as u32 + reason;
    if let Some(counter) = LOSSES.get_ptr_mut(index) {
        // SAFETY: a value of a per-CPU map.
        unsafe { *counter += 1 };
    }
}

/// Counts an act in its session, and says whether it is to be emitted: allowed acts once for each object, cuts
/// once for each rule and object and after that within the session's quota.
#[inline(always)]
pub fn counted(actor: &mut Actor, key: &SeenKey, called_for: u8) -> bool {
    let Some(counts) = COUNTS.get_ptr_mut(&actor.member.session) else {
        return true;
    };
    // SAFETY: a value of a map that only the programs write; counters by atomic adds.
    let counts = unsafe { &mut *counts };
    let granted = actor.flags & flag::GRANTED != 0;
    if called_for == response::ALLOW {
        add(&mut counts.acts, 1);
    } else {
        add(&mut counts.cuts, 1);
    }
    // Each use of a grant is told, within the quota.
    if called_for == response::ALLOW && !granted {
        if let Some(seen) = SEEN_ACTS.get_ptr_mut(key) {
            // SAFETY: a value of the map; a lost race only loses a count of one.
            add(unsafe { &mut *seen }, 1);
            return false;
        }
        // An entry that cannot be stored means that the act is emitted again.
        let _ = SEEN_ACTS.insert(key, &1, 0);
        return true;
    }
    let Some(seen) = SEEN_CUTS.get_ptr_mut(key) else {
        let _ = SEEN_CUTS.insert(key, &1, 0);
        if !granted {
            brake::count(actor, key, counts);
        }
        return true;
    };
    // SAFETY: as above.
    add(unsafe { &mut *seen }, 1);
    within_quota(actor, counts)
}

/// Uses the session's quota; counts what goes over it.
#[inline(always)]
fn within_quota(actor: &Actor, counts: &mut Counts) -> bool {
    let each = REPEAT_NS.load();
    let now = now();
    let floor = now.saturating_sub(BURST * each);
    let used = if counts.bucket < floor {
        floor
    } else {
        counts.bucket
    };
    if used + each > now {
        if actor.flags & flag::GRANTED == 0 {
            add(&mut counts.suppressed, 1);
        }
        lost(actor.hook, loss::QUOTA);
        return false;
    }
    counts.bucket = used + each;
    true
}

/// Counts a cut that is about an object of its own each time, and says whether it is to be emitted: within the session's
/// quota.
#[inline(always)]
pub fn counted_apart(actor: &mut Actor, entry: u32) -> bool {
    let Some(counts) = COUNTS.get_ptr_mut(&actor.member.session) else {
        return true;
    };
    // SAFETY: a value of a map that only the programs write; counters by atomic adds.
    let counts = unsafe { &mut *counts };
    add(&mut counts.cuts, 1);
    brake::add_up(actor, entry, counts);
    within_quota(actor, counts)
}

/// Sends the first `len` bytes of the scratch's event.
#[inline(always)]
pub fn send(scratch: &Scratch, len: usize, hook: u8) {
    if len > OUT {
        lost(hook, loss::RING);
        return;
    }
    // SAFETY: `len` is within `out`.
    let bytes = unsafe { core::slice::from_raw_parts(scratch.out.as_ptr(), len) };
    if RING.output::<[u8]>(bytes, 0).is_err() {
        lost(hook, loss::RING);
    }
}

/// Sends an event without strings.
#[inline(always)]
pub fn send_small<T>(event: &T, hook: u8) {
    // SAFETY: `T` is an ABI struct without padding.
    let bytes =
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(event).cast::<u8>(), size_of::<T>()) };
    if RING.output::<[u8]>(bytes, 0).is_err() {
        lost(hook, loss::RING);
    }
}

/// A header for an act.
#[inline(always)]
pub fn header(kind: u8, actor: &Actor) -> Header {
    Header {
        version: scopeward_abi::ABI_VERSION,
        kind,
        hook: actor.hook,
        tid: actor.ids.1,
        tgid: actor.ids.0,
        time: now(),
        session: actor.member.session,
        cookie: actor.member.cookie,
        policy: actor.member.policy,
        generation: actor.session.generation,
        flags: actor.flags,
        ..Header::default()
    }
}
