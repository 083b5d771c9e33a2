//! What a session has used.

/// Key of `USED`; its value is how, a bit each.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsedKey {
    /// The session.
    pub session: u64,
    /// Inode number, or the address folded to 64 bits.
    pub object: u64,
    /// Device, or port and protocol.
    pub part: u32,
    /// `event::kind::*` of the act.
    pub kind: u32,
}
