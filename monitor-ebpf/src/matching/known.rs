//! What a file matched the last time it was looked for. It matches the same while it lies where it lay and the rules are
//! what they were: what stands for its place is in the key, and the epoch of the rules in the value.

use scopeward_abi::hash;

use super::Hits;
use crate::{
    maps::{EPOCH, KNOWN},
    scratch::Scratch,
};

/// Key of [`KNOWN`].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct KnownKey {
    /// `kernel::file::place`.
    place: u64,
    /// Inode number.
    inode: u64,
    /// Device of the filesystem.
    dev: u32,
    /// The table.
    ns: u32,
    /// `i_generation`.
    generation: u32,
    /// 1 where it has no name left.
    deleted: u32,
}

/// Value of [`KNOWN`].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Known {
    hits: Hits,
    /// The rules' epoch before it was looked for.
    epoch: u64,
    /// Over all of it: an element that is taken for another file while it is read does not fit.
    sum: u64,
}

/// The epoch of the rules: the daemon changes it after each change of theirs.
#[inline(always)]
fn epoch() -> u64 {
    // SAFETY: a value of a map, which the daemon changes in its own memory.
    EPOCH
        .get_ptr(0)
        .map_or(0, |epoch| unsafe { core::ptr::read_volatile(epoch) })
}

#[inline(always)]
fn key(ns: u32, place: u64, scratch: &Scratch) -> KnownKey {
    KnownKey {
        place,
        inode: scratch.facts.inode,
        dev: scratch.facts.dev,
        ns,
        generation: scratch.facts.generation,
        deleted: u32::from(scratch.facts.links == 0),
    }
}

#[inline(always)]
fn sum(hits: &Hits, epoch: u64, place: u64) -> u64 {
    let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    let mut sum = hash::step(hash::BASIS, epoch);
    sum = hash::step(sum, place);
    sum = hash::step(sum, hits.mask);
    sum = hash::step(sum, pair(hits.object_read, hits.object_write));
    sum = hash::step(sum, pair(hits.read, hits.write));
    hash::step(sum, pair(hits.read_rank, hits.write_rank))
}

/// Puts what is known of the file in the scratch into `scratch.hits`; false where nothing is, and then [`keep`] takes what
/// is found.
#[inline(never)]
pub fn recall(ns: u32, place: u64, scratch: &mut Scratch) -> bool {
    scratch.epoch = epoch();
    // SAFETY: a value of a map, which is held against its sum.
    let Some(known) = (unsafe { KNOWN.get(&key(ns, place, scratch)) }) else {
        return false;
    };
    scratch.hits = known.hits;
    scratch.hits.unresolved = 0;
    // SAFETY: as above.
    let (epoch, of_all) = unsafe {
        (
            core::ptr::read_volatile(&raw const known.epoch),
            core::ptr::read_volatile(&raw const known.sum),
        )
    };
    epoch == scratch.epoch && sum(&scratch.hits, epoch, place) == of_all
}

/// Keeps what was found after [`recall`] had nothing.
#[inline(never)]
pub fn keep(ns: u32, place: u64, scratch: &Scratch) {
    if scratch.hits.unresolved != 0 {
        return;
    }
    let known = Known {
        hits: scratch.hits,
        epoch: scratch.epoch,
        sum: sum(&scratch.hits, scratch.epoch, place),
    };
    // One that cannot be stored is looked for again.
    let _ = KNOWN.insert(&key(ns, place, scratch), &known, 0);
}
