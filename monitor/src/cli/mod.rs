//! The command line: one file a command; `command` has them all, `main.rs` runs them.

pub mod agents;
pub mod change;
pub mod command;
pub mod completions;
pub mod cuts;
pub mod daemon;
pub mod doctor;
pub mod events;
pub mod exit;
pub mod export;
pub mod failure;
pub mod freeze;
pub mod grant;
pub mod grant_stats;
pub mod grants;
pub mod incidents;
pub mod kill;
pub mod man;
pub mod pending;
pub mod reload;
pub mod render;
pub mod replay;
pub mod report;
pub mod rotate;
pub mod run;
pub mod scope;
pub mod sessions;
pub mod status;
pub mod thaw;
pub mod top;
pub mod tree;
pub mod verify;
pub mod why;

pub use command::{Cli, Command};

#[cfg(test)]
mod tests;
