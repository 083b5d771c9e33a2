//! A tightened session has what it has used before, and nothing new.
//!
//! Where a budget of the policy can tighten, what goes through is noted, by object; once the session is tightened, what
//! was not noted is answered by an entry of its own, which a grant can still let through.

use scopeward_abi::{
    policy::{Policy, response},
    used::UsedKey,
};

use crate::{
    maps::USED,
    session::Actor,
    verdict::{self, Verdict},
};

/// Looks at an act that the scope lets through, `how` it uses its object: notes it, or puts the answer to what is new in
/// place of `verdict`.
#[inline(always)]
pub fn hold(
    actor: &Actor,
    policy: &Policy,
    verdict: &mut Verdict,
    (kind, object, part): (u8, u64, u32),
    how: u64,
) {
    if policy.tighten == 0 || verdict.response > response::FLAG {
        return;
    }
    let key = UsedKey {
        session: actor.member.session,
        object,
        part,
        kind: u32::from(kind),
    };
    if known(&key, actor.session.tightened != 0, how) == Some(true) {
        *verdict = verdict::by_entry(actor.member, policy.tighten);
    }
}

/// Whether it is new to a tightened session; `None` for one that is not, where it is noted.
#[inline(never)]
fn known(key: &UsedKey, tightened: bool, how: u64) -> Option<bool> {
    let used = USED.get_ptr_mut(key);
    if tightened {
        // SAFETY: a value of the map.
        return Some(used.is_none_or(|used| unsafe { *used } & how != how));
    }
    match used {
        Some(used) => {
            // SAFETY: a value of the map; a lost race only means that a use is noted the next time.
            unsafe { *used |= how };
        }
        // One that cannot be stored counts as new later.
        None => drop(USED.insert(key, &how, 0)),
    }
    None
}
