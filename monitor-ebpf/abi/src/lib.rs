//! The only types that both the kernel programs and the daemon see: map keys and values, events, limits.
//!
//! Every struct is `repr(C)`, has no padding, no `bool` and no enum: each byte pattern is valid, and the sizes
//! are asserted at compile time. A change here changes [`ABI_VERSION`].
#![no_std]
#![forbid(unsafe_code)]

pub mod endpoint;
pub mod event;
pub mod grant;
pub mod hash;
pub mod layout;
pub mod member;
pub mod object;
pub mod policy;
pub mod sent;
pub mod syscall;
pub mod used;
pub mod verdict;

/// First byte of every event, and part of the directory that pinned maps live in.
pub const ABI_VERSION: u8 = 9;

/// Longest name of a path component in bytes (`NAME_MAX` of every Linux filesystem).
pub const MAX_NAME: usize = 255;

/// How many ancestors of a file are looked at; a deeper file is answered as guarded.
pub const MAX_DEPTH: usize = 48;

/// How many name shapes (prefix and suffix lengths) one policy can have.
pub const MAX_SHAPES: usize = 32;

/// Longest prefix or suffix of a name pattern, in bytes.
pub const MAX_AFFIX: usize = 64;

/// Port rules that can apply to one address.
pub const MAX_PORTS: usize = 24;

/// Sanctioned uses of one entry.
pub const MAX_UNLESS: usize = 8;
