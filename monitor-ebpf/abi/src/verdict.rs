//! The arithmetic of a verdict: what one entry answers for a member, and which of two answers holds. Used by the kernel's
//! programs, and by the daemon where it answers in their place.

use crate::{
    MAX_UNLESS,
    member::Member,
    policy::{Entry, response},
};

/// What is answered, and by which entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `response::*`.
    pub response: u8,
    /// A guarded object in sanctioned use.
    pub sanctioned: bool,
    /// What it counts; 0 for what is allowed.
    pub weight: u16,
    /// The endpoint table that alone is left afterwards, or 0.
    pub then: u8,
    /// The entry; 0 for the default that allows.
    pub entry: u32,
}

impl Verdict {
    /// Inside the scope.
    pub const ALLOW: Self = Self {
        response: response::ALLOW,
        sanctioned: false,
        weight: 0,
        then: 0,
        entry: 0,
    };

    /// What an entry answers without a sanctioned use.
    #[must_use]
    #[inline(always)]
    pub const fn of(response: u8, weight: u16, entry: u32) -> Self {
        Self {
            response,
            sanctioned: false,
            weight,
            then: 0,
            entry,
        }
    }

    /// Whether this one leaves fewer endpoints, where both allow.
    #[must_use]
    #[inline(always)]
    pub const fn narrows(&self, other: &Self) -> bool {
        self.response == other.response && self.then != 0 && other.then == 0
    }
}

/// What the entry with this number answers for a member; one that is missing is an internal error and denies. `mask` has
/// the sanction bits of the object.
#[must_use]
#[inline(always)]
pub fn answer(entry: Option<&Entry>, number: u32, member: &Member, mask: u64) -> Verdict {
    let Some(entry) = entry else {
        return Verdict::of(response::DENY, 0, number);
    };
    for index in 0..MAX_UNLESS {
        if index >= usize::from(entry.unless_count) {
            break;
        }
        let unless = entry.unless[index];
        if has(member.labels, unless.exe) && has(member.lineage, unless.ancestor) && has(mask, unless.paths) {
            return Verdict {
                response: response::ALLOW,
                sanctioned: true,
                weight: 0,
                then: unless.then,
                entry: number,
            };
        }
    }
    Verdict::of(entry.response, entry.weight, number)
}

/// The stronger of what the object itself (where an entry guards it) and what its names are answered; of two that are
/// the same, the object's.
#[must_use]
#[inline(always)]
pub fn stronger(by_object: Verdict, by_name: Verdict) -> Verdict {
    if by_object.response < by_name.response || by_name.narrows(&by_object) {
        by_name
    } else {
        by_object
    }
}

/// Whether `set` has bit `plus_one - 1`; 0 asks for nothing.
#[inline(always)]
fn has(set: u64, plus_one: u8) -> bool {
    plus_one == 0 || set >> ((plus_one - 1) & 63) & 1 != 0
}
