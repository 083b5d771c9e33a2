//! Typed reads of kernel structs.

pub mod call;
pub mod file;
pub mod offsets;
pub mod pid;
pub mod socket;
pub mod task;
