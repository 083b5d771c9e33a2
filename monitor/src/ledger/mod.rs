//! The ledger: how small acts add up. Pure over (state, event, time): a recorded file replays to the same result.
//!
//! `cut` reads a cut out of an event, `repeats` holds the cuts with one rule and object, `window` adds them up over one
//! length of time, `account` keeps the windows of a session, an agent, an owner or a host, and `ledger` takes in cuts
//! and says which budgets they use up. `tally` is the arithmetic as people read it.

pub mod account;
pub mod book;
pub mod cut;
pub mod decision;
pub mod incidents;
pub mod patterns;
pub mod repeats;
pub mod rotation;
pub mod tally;
pub mod window;

#[cfg(test)]
mod tests;
