//! One family of routes a file; `/v1` and the path in front of each function.

pub mod cases;
pub mod change;
pub mod cuts;
pub mod events;
pub mod export;
pub mod grants;
pub mod metrics;
pub mod overview;
pub mod sessions;
