//! What runs as the first process of a virtual machine: `cargo xtask vm` boots a kernel with it as init.

pub mod plan;
pub mod report;
pub mod steps;
pub mod system;
