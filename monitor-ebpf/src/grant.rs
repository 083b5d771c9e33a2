//! What a person approved: looked up for acts outside the scope alone, and timed here, so that a grant ends without the
//! daemon. Where an act is asked about by two hooks, only the one that tells of it counts its use (`counts`).

use scopeward_abi::grant::{GrantKey, access, of};

use crate::{emit, kernel::file::Facts, maps::GRANTS};

/// Whether a grant of `session` covers opening this file so.
#[inline(always)]
pub fn file(session: u64, facts: &Facts, reads: bool, writes: bool) -> bool {
    let mut needed = 0;
    if reads {
        needed |= access::READ;
    }
    if writes {
        needed |= access::WRITE;
    }
    holds(&inode(session, facts, of::FILE), needed, facts.generation, true)
}

/// Whether a grant of `session` covers executing this program.
#[inline(always)]
pub fn program(session: u64, facts: &Facts, counts: bool) -> bool {
    holds(&inode(session, facts, of::PROGRAM), 0, facts.generation, counts)
}

/// Whether a grant of `session` covers this address, port and protocol.
#[inline(always)]
pub fn endpoint(session: u64, addr: &[u8; 16], (port, protocol): (u16, u8), counts: bool) -> bool {
    let key = GrantKey {
        session,
        inode: 0,
        addr: *addr,
        part: u32::from(port) << 16 | u32::from(protocol),
        of: of::ENDPOINT,
    };
    holds(&key, 0, 0, counts)
}

#[inline(always)]
fn inode(session: u64, facts: &Facts, of: u32) -> GrantKey {
    GrantKey {
        session,
        inode: facts.inode,
        addr: [0; 16],
        part: facts.dev,
        of,
    }
}

/// Whether the grant is there and has not ended; counts the use where it is to.
#[inline(always)]
fn holds(key: &GrantKey, needed: u32, generation: u32, counts: bool) -> bool {
    let Some(grant) = GRANTS.get_ptr_mut(key) else {
        return false;
    };
    // SAFETY: a value of a map; its counter is changed with atomic adds, the rest is written by the daemon alone.
    let grant = unsafe { &mut *grant };
    if grant.until <= emit::now()
        || grant.access & needed != needed
        || (grant.generation != 0 && grant.generation != generation)
    {
        return false;
    }
    if counts {
        emit::add(&mut grant.uses, 1);
    }
    true
}
