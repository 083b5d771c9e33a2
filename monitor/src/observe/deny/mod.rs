//! The tiers that refuse an act before it happens, `lsm` and `fmod_ret`: which of them works here, found by trying, and
//! loading the programs for it (aya has no loader for the second).

mod bpf;
mod load;
mod programs;
mod trial;

pub(super) use bpf::freeze;
pub use bpf::{RawLink, attach};
pub use load::{DenyError, Denying, changes, load};
pub use trial::{Choice, choose};
