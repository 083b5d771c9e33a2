//! Object + session → verdict, from maps; the one place that decides in the kernel.

use scopeward_abi::{
    MAX_PORTS,
    endpoint::{EndpointKey, NS_BITS},
    member::Member,
    object::ns,
    policy::{Entry, EntryKey, Policy, response},
    verdict,
};

pub use scopeward_abi::verdict::Verdict;

use aya_ebpf::maps::lpm_trie::Key;

use crate::maps::{ENDPOINTS, ENTRIES};
use crate::matching::Hits;

#[inline(always)]
fn entry(policy: u32, entry: u32) -> Option<&'static Entry> {
    // SAFETY: written by the daemon before the session that it decides for, and whole.
    unsafe { ENTRIES.get(&EntryKey { policy, entry }) }
}

/// What one entry answers for a member.
#[inline(always)]
fn answer(member: &Member, number: u32, mask: u64) -> Verdict {
    if number == 0 {
        return Verdict::ALLOW;
    }
    verdict::answer(entry(member.policy, number), number, member, mask)
}

/// The stronger of what the object itself and what its names are answered.
#[inline(always)]
fn stronger(member: &Member, object: u32, named: u32, mask: u64) -> Verdict {
    let by_name = answer(member, named, mask);
    if object == 0 {
        return by_name;
    }
    verdict::stronger(answer(member, object, mask), by_name)
}

/// The verdict on using a file.
#[inline(always)]
pub fn file(member: &Member, policy: &Policy, hits: &Hits, reads: bool, writes: bool) -> Verdict {
    let mut verdict = Verdict::ALLOW;
    if reads {
        let named = if hits.read != 0 {
            hits.read
        } else {
            policy.read_default
        };
        verdict = stronger(member, hits.object_read, named, hits.mask);
    }
    if writes {
        let named = if hits.write != 0 {
            hits.write
        } else {
            policy.write_default
        };
        let write = stronger(member, hits.object_write, named, hits.mask);
        let heavier = write.response == verdict.response && write.weight > verdict.weight;
        if write.response > verdict.response || heavier || write.narrows(&verdict) || !reads {
            verdict = write;
        }
    }
    failing(member, hits, policy.fail, verdict)
}

/// What is answered where not everything could be seen: the fail direction, and never less than what was seen calls for.
#[inline(always)]
fn failing(member: &Member, hits: &Hits, fail: u32, seen: Verdict) -> Verdict {
    if hits.unresolved == 0 || fail == 0 {
        return seen;
    }
    let fail = answer(member, fail, 0);
    if fail.response < seen.response { seen } else { fail }
}

/// Where the policy of a session is not there, which never happens unless a table was tampered with or lost: nothing says
/// what is in the scope, so nothing is.
pub const LOST: Verdict = Verdict::of(response::DENY, 0, 0);

/// The verdict of one entry, whatever it is about.
#[inline(always)]
pub fn by_entry(member: &Member, number: u32) -> Verdict {
    answer(member, number, 0)
}

/// The verdict on executing a program; `default` answers where no rule fits, `fail` where it could not be resolved.
#[inline(always)]
pub fn exec(member: &Member, hits: &Hits, default: u32, fail: u32) -> Verdict {
    let named = if hits.read != 0 { hits.read } else { default };
    failing(
        member,
        hits,
        fail,
        stronger(member, hits.object_read, named, hits.mask),
    )
}

/// The verdict on reaching a unix socket.
#[inline(always)]
pub fn socket(member: &Member, policy: &Policy, hits: &Hits) -> Verdict {
    let named = if hits.read != 0 {
        hits.read
    } else {
        policy.socket_default
    };
    failing(
        member,
        hits,
        policy.socket_fail,
        stronger(member, hits.object_read, named, 0),
    )
}

/// The verdict on reaching an address. `addr` is in network order, IPv4 as v4-mapped; `port` in host order.
#[inline(always)]
pub fn endpoint(member: &Member, policy: &Policy, addr: &[u8; 16], port: u16, protocol: u8) -> Verdict {
    if member.then != 0 {
        let table = member.policy | member.then << ns::THEN_SHIFT;
        if lookup(table, addr, port, protocol).is_none() {
            return match entry(member.policy, member.then_entry) {
                Some(entry) => Verdict::of(entry.response, entry.weight, member.then_entry),
                None => Verdict::of(response::DENY, 0, member.then_entry),
            };
        }
    }
    match lookup(member.policy, addr, port, protocol) {
        Some(number) => answer(member, number, 0),
        None => answer(member, policy.net_default, 0),
    }
}

/// The verdict on a socket that could reach any address.
#[inline(always)]
pub fn default_endpoint(member: &Member, policy: &Policy) -> Verdict {
    answer(member, policy.net_default, 0)
}

/// The entry for an address in one table: longest prefix, then its port rules in order.
#[inline(always)]
fn lookup(table: u32, addr: &[u8; 16], port: u16, protocol: u8) -> Option<u32> {
    let key = Key::new(
        NS_BITS + 128,
        EndpointKey {
            ns: table.to_be_bytes(),
            addr: *addr,
        },
    );
    let ports = ENDPOINTS.get(&key)?;
    for index in 0..MAX_PORTS {
        if index >= ports.count as usize {
            break;
        }
        let rule = ports.rules[index];
        if port >= rule.low && port <= rule.high && (rule.protocol == 0 || rule.protocol == protocol) {
            return Some(rule.entry);
        }
    }
    None
}
