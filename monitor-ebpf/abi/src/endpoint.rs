//! Endpoints of a policy.

use crate::MAX_PORTS;

/// Data of an `ENDPOINTS` key (a longest-prefix trie): the table, then the address. IPv4 is kept as v4-mapped IPv6.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointKey {
    /// Policy number, and the `then-to` table in the upper half; big endian, so that its prefix is whole.
    pub ns: [u8; 4],
    /// The address in network order.
    pub addr: [u8; 16],
}

/// Bits of a key before the address.
pub const NS_BITS: u32 = 32;

/// Value of `ENDPOINTS`: the port rules of the longest matching prefix, with those of all shorter ones merged in,
/// most specific first. The first that fits decides.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// How many of `rules` are used.
    pub count: u32,
    /// Always 0.
    pub pad: u32,
    /// The rules.
    pub rules: [PortRule; MAX_PORTS],
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            count: 0,
            pad: 0,
            rules: [PortRule::default(); MAX_PORTS],
        }
    }
}

/// One rule for ports of an address.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortRule {
    /// First port, host order.
    pub low: u16,
    /// Last port, host order.
    pub high: u16,
    /// `IPPROTO_*`, or 0 for any. MPTCP counts as TCP.
    pub protocol: u8,
    /// Always 0.
    pub pad: [u8; 3],
    /// The entry that answers.
    pub entry: u32,
}
