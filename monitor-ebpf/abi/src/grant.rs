//! Grants: what a person approved, for one session and one object, for a time.

/// Key of `GRANTS`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrantKey {
    /// The session.
    pub session: u64,
    /// Inode number of a file or program; 0 for an endpoint.
    pub inode: u64,
    /// The address in network order, IPv4 as v4-mapped; zeros for a file or program.
    pub addr: [u8; 16],
    /// Device of the file (kernel encoding), or port << 16 | `IPPROTO_*` (TCP for MPTCP).
    pub part: u32,
    /// `of::*`.
    pub of: u32,
}

/// Values of [`GrantKey::of`].
pub mod of {
    /// Opening a file.
    pub const FILE: u32 = 1;
    /// Executing a program.
    pub const PROGRAM: u32 = 2;
    /// Connecting or sending to an address, port and protocol.
    pub const ENDPOINT: u32 = 3;
}

/// Value of `GRANTS`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Boot clock, ns: from then on it does not hold. The programs look at it, so that it ends without the daemon too.
    pub until: u64,
    /// Acts that went through by it; written by the programs alone once it is there.
    pub uses: u64,
    /// `access::*` of a file; 0 otherwise.
    pub access: u32,
    /// `i_generation` of the inode that is meant, 0 where that is not known.
    pub generation: u32,
}

/// Bits of [`Grant::access`].
pub mod access {
    /// For reading.
    pub const READ: u32 = 1;
    /// For writing.
    pub const WRITE: u32 = 2;
}
