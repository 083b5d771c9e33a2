//! The event record, and the store that keeps it.

pub mod event;
