//! `cargo xtask btf-check`: everything that the programs take for granted of a kernel (struct fields, hooks, helpers),
//! held against the types that each kernel of the matrix describes, and their stack against what kernels give, without
//! booting one.

#[path = "../../../monitor/src/observe/btf.rs"]
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the daemon's own reader: this command asks only some of its questions"
    )
)]
mod btf;
pub mod check;
mod frames;
mod function_ids;
mod gaps;
mod object;
mod section;
