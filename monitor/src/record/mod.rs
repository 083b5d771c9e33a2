//! The event record, and the store that keeps it: SQLite segments, one writer thread, retention by unlinking.

pub mod cases;
pub mod chain;
pub mod dictionary;
pub mod event;
pub mod filter;
pub mod health;
pub mod holds;
pub mod links;
pub mod progress;
pub mod query;
pub mod queue;
pub mod removed;
pub mod restore;
pub mod retention;
pub mod schema;
pub mod segment;
pub mod signer;
pub mod store;
pub mod stored;
pub mod tail;
pub mod verify;
pub mod writer;

#[cfg(test)]
pub(crate) mod tests;
