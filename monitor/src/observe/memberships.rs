//! Who is a member, and whether the number is still that process's.

use aya::maps::{HashMap, MapData};
use scopeward_abi::member::Member;

use super::maps::MemberPod;

/// Who is a member: readable without the lock of everything else.
pub struct Memberships(HashMap<MapData, u32, MemberPod>);

impl Memberships {
    pub(super) const fn new(map: HashMap<MapData, u32, MemberPod>) -> Self {
        Self(map)
    }

    /// The membership of the process that has this number now.
    #[must_use]
    pub fn get(&self, pid: u32) -> Option<Member> {
        let member = self.0.get(&pid, 0).ok()?.0;
        is_of(pid, &member).then_some(member)
    }
}

/// When a process started: boot clock, ns, cut to the clock tick that `/proc` gives. `None` for one that is gone, or
/// has ended and only waits to be reaped.
#[must_use]
pub fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let ticks: u64 = fields.nth(18)?.parse().ok()?;
    (state != "Z" && state != "X").then_some((ticks * TICK_NS).max(1))
}

/// Whether a membership is that of the process that has this number now.
#[must_use]
pub fn is_of(pid: u32, member: &Member) -> bool {
    started(pid).is_some_and(|started| started / TICK_NS == member.cookie / TICK_NS)
}

const TICK_NS: u64 = 10_000_000;
