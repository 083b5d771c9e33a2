//! Bytes that left a session.

/// Key of `SENT`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SentKey {
    /// The session.
    pub session: u64,
    /// The address in network order, IPv4 as v4-mapped.
    pub addr: [u8; 16],
    /// The port; 0 for protocols without.
    pub port: u16,
    /// `IPPROTO_*`.
    pub protocol: u16,
    /// Always 0.
    pub pad: u32,
}

/// Value of `SENT`: written by the programs alone.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Bytes behind the headers of IP and of the transport, what was sent again included.
    pub bytes: u64,
    /// Packets that had any.
    pub packets: u64,
}
