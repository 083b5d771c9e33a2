//! The daemon's settings, `/etc/scopeward/daemon.toml`: one group a file, everything optional.

pub mod api;
pub mod file;
pub mod limits;
pub mod paths;
pub mod quantity;
pub mod store;
