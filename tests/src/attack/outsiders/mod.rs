//! Techniques on processes outside the session, and ways out of it.

pub mod escape;
pub mod memory;
pub mod signal;
pub mod target;
pub mod trace;
