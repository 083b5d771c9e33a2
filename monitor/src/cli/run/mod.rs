//! `scopeward run`: a command as an agent session, held from its very first instruction.

mod args;
mod choose;
mod exec;
mod failure;
mod follow;
mod forward;
mod held;
pub mod holder;
mod in_process;
mod launch;
mod program;
pub mod reasons;
mod signals;
mod telling;
mod terminal;
mod through_daemon;
mod user;
mod wait;

pub use args::Args;
pub use launch::run;

#[cfg(test)]
mod tests;
