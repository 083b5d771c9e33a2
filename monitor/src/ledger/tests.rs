//! The arithmetic of the ledger, by tables and by properties.

mod day;
mod incidents;
mod properties;
mod steps;
