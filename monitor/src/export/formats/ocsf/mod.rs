//! OCSF 1.9: what is allowed is an activity (Process, File System, Network, DNS); a cut is a Detection Finding with the
//! activity's things as evidence. Profiles: host, security control, AI operation, record integrity.
//!
//! `schema.json` holds what the tests check against; see its `origin` and `license`.

pub mod activity;
pub mod control;
pub mod finding;
pub mod objects;
pub mod record;

pub use record::record;

#[cfg(test)]
mod tests;
