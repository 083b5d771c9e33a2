//! Sessions and their processes.

/// Words of `IS_MEMBER`: a bit for each process id below `PID_MAX_LIMIT`, which is 2^22.
pub const MEMBER_WORDS: u32 = 1 << 16;

/// Value of `MEMBERS`, keyed by process id (tgid): one process of a session.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// The session: the cookie of its root process.
    pub session: u64,
    /// This process: start of the group leader (boot clock, ns), which survives exec and differs for a reused pid.
    pub cookie: u64,
    /// Labels of the program that runs now: a bit for each set of programs that the policy names.
    pub labels: u64,
    /// Labels of the programs of all ancestors, and of earlier programs of this process.
    pub lineage: u64,
    /// The policy that holds it.
    pub policy: u32,
    /// `flag::*`.
    pub flags: u32,
    /// After a sanctioned use: the endpoint table that alone is left, or 0.
    pub then: u32,
    /// The entry that `then` comes from.
    pub then_entry: u32,
    /// When it, or what it descends from or started, last read a person's credential (boot clock, ns); 0 for never.
    pub lent: u64,
}

/// Set in a process id that the walk over all tasks gives to the daemon: it is in no session although its parent is,
/// because there was no room. No process id has this bit.
pub const UNHELD: u32 = 1 << 31;

/// Bits of [`Member::flags`].
pub mod flag {
    /// To be killed before it returns to user space (set by a hook that cannot send signals).
    pub const DOOMED: u32 = 1;
    /// To be stopped before it returns to user space.
    pub const HELD: u32 = 2;
    /// Adopted while it ran: what it had open before was not seen.
    pub const ADOPTED: u32 = 4;
}

/// Value of `SESSIONS`, keyed by session: what the daemon decides about it. Its counters are apart, in [`Counts`], so
/// that the daemon's writes lose none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The policy.
    pub policy: u32,
    /// The generation of that policy.
    pub generation: u32,
    /// `mode::*`.
    pub mode: u32,
    /// `state::*`.
    pub state: u32,
    /// 1 while a used-up budget leaves the session only what it has used before.
    pub tightened: u32,
    /// 1 from a cut on that the programs have not counted, because user space answered it.
    pub exposed: u32,
    /// The cuts that were counted when it was last let go on: what it sends is counted from the next one.
    pub cuts_before: u64,
}

/// Value of `COUNTS`, keyed by session: written by the programs alone.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Acts inside the scope.
    pub acts: u64,
    /// Acts outside the scope.
    pub cuts: u64,
    /// Cuts that were counted and not emitted, because the session's quota was used up.
    pub suppressed: u64,
    /// Emission quota: nanoseconds (boot clock) up to which the bucket is used.
    pub bucket: u64,
    /// The brake's window: when it began (boot clock, ns).
    pub brake_start: u64,
    /// The weight of different cuts since then.
    pub brake_sum: u64,
}

/// Values of [`Session::mode`].
pub mod mode {
    /// Decide and record, change nothing.
    pub const OBSERVE: u32 = 0;
    /// Apply the response.
    pub const ENFORCE: u32 = 1;
}

/// Values of [`Session::state`].
pub mod state {
    /// Its processes run.
    pub const RUNNING: u32 = 0;
    /// Frozen: any process that comes by a hook is stopped again.
    pub const FROZEN: u32 = 1;
    /// To die: any process that comes by a hook is killed.
    pub const KILLED: u32 = 2;
}
