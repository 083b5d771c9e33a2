//! One file or folder for each subcommand.

pub mod exit;
pub mod scope;
