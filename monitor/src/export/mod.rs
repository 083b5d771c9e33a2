//! Events to where people look at them: a SIEM, a file, a broker.
//!
//! The store is the spool. Each exporter reads it from its own durable [`cursor`], so that nothing but the store is
//! ever waited for by those who record, and a destination that is down costs disk within bounds, not memory.
//! [`worker`] is the loop of one exporter; [`exporters`] starts, changes and ends them.

pub mod backoff;
pub mod chain;
pub mod cursor;
pub mod destinations;
pub mod exporters;
pub mod filter;
pub mod formats;
pub mod http;
pub mod item;
pub mod outcome;
pub mod reader;
pub mod redact;
pub mod secrets;
pub mod settings;
pub mod status;
pub mod tls;
pub mod trial;
pub mod worker;

#[cfg(test)]
pub(crate) mod tests;
