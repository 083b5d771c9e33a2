//! The command line as its users meet it: exit codes, messages, what passes through, what bad input gets.

mod by_hand;
mod daemon;
mod developer;
mod grants;
mod identity;
mod incidents;
mod ledger;
mod metrics;
mod owners;
mod patterns;
mod pending;
mod removal;
mod replay;
mod run_held;
mod run_passes;
mod run_refuses;
mod scope_check;
mod self_defence;
mod service;
mod tighten;
mod trying;
mod unit;
mod upgrade;
