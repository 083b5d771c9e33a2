//! The workload that `cargo xtask bench` measures a monitor with. Nothing in a timed loop allocates.

pub mod acts;
pub mod alerts;
pub mod deaths;
pub mod empty;
pub mod flood;
pub mod numbered;
pub mod placement;
pub mod ramp;
pub mod sample;
pub mod sink;
pub mod spawn;
pub mod steady;
pub mod tiny;
pub mod tree;
pub mod violations;
