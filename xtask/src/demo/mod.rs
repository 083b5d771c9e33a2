//! `cargo xtask demo`: a session of real programs held to a scope, and its twin outside.

mod daemon;
mod expectations;
mod leftovers;
mod listener;
pub mod play;
mod stage;
