//! Borrowed identity: who has read a person's credential, and what they reach afterwards.
//!
//! A read marks the process that read, and those above it in its session: they take what it read from a pipe. What any
//! of them starts afterwards inherits the mark with its membership. It fades after [`LENT_NS`].

use scopeward_abi::{
    member::Member,
    policy::{LENT_NS, Policy},
};

use crate::{
    emit,
    kernel::{
        offsets::{Address, of, read},
        task,
    },
    session,
    verdict::{self, Verdict},
};

/// How many processes above the reader are marked.
const ABOVE: usize = 8;
/// `IPPROTO_UDP`.
const UDP: u8 = 17;
/// The port of name servers: whoever asks them acts as nobody.
const NAMES: u16 = 53;

/// A credential was read by the running process.
#[inline(never)]
pub fn lend(member: &mut Member) {
    let now = emit::now();
    member.lent = now;
    let mut at = task::current();
    for _ in 0..ABOVE {
        let Ok(parent) = read::<Address>(at, of::TASK_REAL_PARENT()) else {
            return;
        };
        let Ok(tgid) = task::tgid(parent) else { return };
        let Some(above) = session::known(tgid) else { return };
        if above.session != member.session {
            return;
        }
        above.lent = now;
        at = parent;
    }
}

/// What is answered to reaching `port` by one who has read a credential; `None` where none was read of late.
#[inline(always)]
pub fn answer(member: &Member, policy: &Policy, port: u16, protocol: u8) -> Option<Verdict> {
    if policy.borrowed == 0 || member.lent == 0 || (port == NAMES && protocol == UDP) {
        return None;
    }
    if emit::now().saturating_sub(member.lent) >= LENT_NS {
        return None;
    }
    Some(verdict::by_entry(member, policy.borrowed))
}
