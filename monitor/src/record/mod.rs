//! The event record, and the store that keeps it: SQLite segments, one writer thread, retention by unlinking.

pub mod cases;
pub mod dictionary;
pub mod event;
pub mod filter;
pub mod health;
pub mod progress;
pub mod query;
pub mod queue;
pub mod restore;
pub mod retention;
pub mod schema;
pub mod segment;
pub mod store;
pub mod writer;

#[cfg(test)]
pub(crate) mod tests;
