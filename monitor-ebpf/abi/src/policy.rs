//! A compiled scope for one owner.

use crate::{MAX_SHAPES, MAX_UNLESS};

/// Value of `POLICIES`, keyed by policy number (1 to 65,535).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `flag::*`.
    pub flags: u32,
    /// The generation of the scope it was compiled from.
    pub generation: u32,
    /// Entry for reading what no pattern matches; 0 allows.
    pub read_default: u32,
    /// Entry for writing what no pattern matches; 0 allows.
    pub write_default: u32,
    /// Entry for executing what no pattern matches; 0 allows.
    pub exec_default: u32,
    /// Entry for endpoints that are in no list; 0 allows.
    pub net_default: u32,
    /// Entry for a file that could be guarded and cannot be resolved (a walk out of bounds, a failed read).
    pub fail: u32,
    /// How many of `shapes` are used.
    pub shape_count: u32,
    /// The name shapes of the file patterns.
    pub shapes: [u32; MAX_SHAPES],
    /// How many of `exec_shapes` are used.
    pub exec_shape_count: u32,
    /// How many of `socket_shapes` are used.
    pub socket_shape_count: u32,
    /// The name shapes of the program patterns.
    pub exec_shapes: [u32; MAX_SHAPES],
    /// Entry for unix sockets that no pattern matches; 0 allows.
    pub socket_default: u32,
    /// Entry for a unix socket that could be guarded and cannot be resolved.
    pub socket_fail: u32,
    /// Entry for tracing processes outside the session, or reading their memory; 0 allows.
    pub trace: u32,
    /// Entry for signals to processes outside the session; 0 allows.
    pub signal: u32,
    /// Entry for moves to another cgroup or into others' namespaces; 0 allows.
    pub leave: u32,
    /// Entry for mounts, and for namespaces in which things can be seen under other names; 0 allows.
    pub mount: u32,
    /// Entry for acts on the monitor itself.
    pub tamper: u32,
    /// Entry for reaching an endpoint after a person's credential was read; 0 allows.
    pub borrowed: u32,
    /// The name shapes of the patterns of unix sockets, paths and abstract names alike.
    pub socket_shapes: [u32; MAX_SHAPES],
    /// The brake: in how long, ns.
    pub brake_within: u64,
    /// The brake: the weight of different cuts of one session at which it is stopped; 0 for none.
    pub brake_weight: u32,
    /// The brake: [`response::FREEZE`] or [`response::KILL`].
    pub brake_response: u32,
    /// Entry for what a tightened session has not used before; 0 where no budget tightens.
    pub tighten: u32,
    /// Entry for a program that could be named by a rule and cannot be resolved; 0 where no rule names one.
    pub exec_fail: u32,
}

/// Bits of [`Policy::flags`]; the same bits shifted by [`flag::EXEC_SHIFT`] are for the program table.
pub mod flag {
    /// Directory names anywhere are guarded.
    pub const DIR_NAMES: u32 = 1;
    /// Some shape holds the parent's name as well.
    pub const PARENTS: u32 = 2;
    /// Unlinked files are guarded: the match is under `NameKey` of shape 0 with depth 1 anywhere.
    pub const DELETED: u32 = 4;
    /// Shift of the bits of the program table.
    pub const EXEC_SHIFT: u32 = 8;
    /// Shift of the bits of the table of unix sockets.
    pub const SOCKET_SHIFT: u32 = 20;
    /// Raw and ping sockets are refused with the network default.
    pub const RAW_SOCKETS: u32 = 1 << 16;
}

/// The bit of a match's mask that marks a person's credential; the lower ones are the sanctions'.
pub const CREDENTIAL: u64 = 1 << 63;

/// How long after a credential was read a connection is taken for its use: ten minutes, ns.
pub const LENT_NS: u64 = 600_000_000_000;

/// Key of `ENTRIES`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey {
    /// The policy.
    pub policy: u32,
    /// The entry's number within it, from 1.
    pub entry: u32,
}

/// Value of `ENTRIES`: what one rule answers for one pattern.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `response::*`.
    pub response: u8,
    /// How many of `unless` are used.
    pub unless_count: u8,
    /// What a cut counts, 65,535 for that and more: for the brake, and of two entries with the same response the heavier
    /// one is named.
    pub weight: u16,
    /// Sanctioned uses: the first that holds makes the act allowed.
    pub unless: [Unless; MAX_UNLESS],
}

/// One sanctioned use.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unless {
    /// Label of the program + 1; 0 for any.
    pub exe: u8,
    /// Label that an ancestor must have + 1; 0 for any.
    pub ancestor: u8,
    /// Sanction bit that the file must have + 1; 0 for any file of the rule.
    pub paths: u8,
    /// The endpoint table that alone is left afterwards; 0 for no restriction.
    pub then: u8,
}

/// Responses, in order of force.
pub mod response {
    /// Inside the scope.
    pub const ALLOW: u8 = 0;
    /// Recorded.
    pub const FLAG: u8 = 1;
    /// Has no effect.
    pub const DENY: u8 = 2;
    /// The session stops.
    pub const FREEZE: u8 = 3;
    /// The process dies.
    pub const KILL: u8 = 4;
}
