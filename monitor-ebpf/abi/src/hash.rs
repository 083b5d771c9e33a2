//! The hashes of names: FNV-1a over 64 bits. A collision can only guard a name too much, never too little.
//!
//! Prefixes and suffixes (up to 64 bytes) are hashed byte by byte. Whole names (up to 255 bytes) are hashed in words
//! of eight bytes, a fixed number of them, because the kernel's verifier looks at every step of a loop anew.

/// The hash of nothing.
pub const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Adds a byte, or a word, to a hash.
#[inline(always)]
#[must_use]
pub const fn step(hash: u64, value: u64) -> u64 {
    let mixed = (hash ^ value).wrapping_mul(PRIME);
    mixed ^ (mixed >> 29)
}

/// The hash of a prefix, first byte to last.
#[must_use]
pub fn forward(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(BASIS, |hash, byte| step(hash, u64::from(*byte)))
}

/// The hash of a suffix, last byte to first.
#[must_use]
pub fn backward(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(BASIS, |hash, byte| step(hash, u64::from(*byte)))
}

/// Names up to this length are hashed in four words, longer ones in 32: without a loop that the verifier has to follow.
pub const SHORT: usize = 32;

/// The hash of a whole name (1 to 255 bytes): its length, then its bytes in little-endian words, filled up with zeros.
#[must_use]
pub fn whole(bytes: &[u8]) -> u64 {
    let words = if bytes.len() <= SHORT { SHORT / 8 } else { 32 };
    let mut chunks = bytes.chunks(8);
    (0..words).fold(step(BASIS, bytes.len() as u64), |hash, _| {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunks.next().unwrap_or_default()) {
            *to = *from;
        }
        step(hash, u64::from_le_bytes(word))
    })
}
