//! The hash of names. FNV-1a, 64 bits: a collision can only guard a name too much, never too little.

/// The hash of the empty string.
pub const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Adds one byte to a hash.
#[inline(always)]
#[must_use]
pub const fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(PRIME)
}

/// The hash of `bytes`, first to last.
#[must_use]
pub fn forward(bytes: &[u8]) -> u64 {
    bytes.iter().fold(BASIS, |hash, byte| step(hash, *byte))
}

/// The hash of `bytes`, last to first: how suffixes are hashed.
#[must_use]
pub fn backward(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(BASIS, |hash, byte| step(hash, *byte))
}
