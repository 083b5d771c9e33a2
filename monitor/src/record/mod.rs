//! The event record, and the store that keeps it: SQLite segments, one writer thread, retention by unlinking.

pub mod event;
pub mod filter;
pub mod health;
pub mod queue;
pub mod writer;
