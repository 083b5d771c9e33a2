//! The hashes of a name that is in the scratch.

use scopeward_abi::{
    MAX_AFFIX,
    hash::{BASIS, SHORT, step},
};

use crate::scratch::{Scratch, anew, bounded};

/// Hashes `scratch.name` whole, and each of its prefixes and suffixes up to 64 bytes; a hash of 0 stands where the
/// name is shorter, which is in no key.
#[inline(always)]
pub(super) fn hash_affixes(scratch: &mut Scratch) {
    let bytes = scratch.name.as_ptr().cast::<u8>();
    scratch.prefix[MAX_AFFIX + 1] = hash_name(scratch);
    scratch.prefix[0] = BASIS;
    scratch.suffix[0] = BASIS;
    let mut first = BASIS;
    let mut last = BASIS;
    for index in 0..MAX_AFFIX {
        let back = bounded::<255>(anew(&scratch.name_len).wrapping_sub(1 + index));
        // SAFETY: `name` has 256 bytes.
        let (from_start, from_end) = unsafe { (*bytes.add(index), *bytes.add(back)) };
        first = step(first, u64::from(from_start));
        last = step(last, u64::from(from_end));
        let within = index < anew(&scratch.name_len);
        scratch.prefix[index + 1] = if within { first } else { 0 };
        scratch.suffix[index + 1] = if within { last } else { 0 };
    }
}

/// The hash of `scratch.name` whole: `scopeward_abi::hash::whole`.
#[inline(always)]
pub(super) fn hash_name(scratch: &Scratch) -> u64 {
    let mut hash = step(BASIS, u64::from(scratch.name_len));
    for word in 0..SHORT / 8 {
        hash = step(hash, u64::from_le(scratch.name[word]));
    }
    if anew(&scratch.name_len) > SHORT {
        for word in SHORT / 8..32 {
            hash = step(hash, u64::from_le(scratch.name[word]));
        }
    }
    hash
}
