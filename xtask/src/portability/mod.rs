//! `cargo xtask btf-check`: everything that the programs take for granted of a kernel (struct fields, hooks, helpers),
//! held against the types that each kernel of the matrix describes, without booting it.

#[path = "../../../monitor/src/observe/btf.rs"]
mod btf;
pub mod check;
mod gaps;
mod helpers;
mod object;
mod section;
