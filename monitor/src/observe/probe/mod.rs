//! What this kernel gives, found by trying: load, attach, and a test on an own child. Never by version number.

mod acts;
mod child;
mod fact;
mod file_acts;
mod host;
mod look;
mod outsiders;
mod place;
mod programs;
mod raw;
mod rights;
mod stronger;
mod strongest;

pub use acts::{ActGuarantee, acts};
pub use fact::{Fact, State};
pub use look::{Probe, look};
pub use programs::Held;
pub use rights::Rights;
pub use strongest::strongest;
