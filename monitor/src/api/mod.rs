//! HTTP/JSON on a unix socket, with callers known by their credentials.

pub mod approvals;
pub mod client;
pub mod control;
pub mod failure;
pub mod follow;
pub mod lines;
pub mod moment;
pub mod peer;
pub mod permissions;
pub mod question;
pub mod report;
pub mod routes;
pub mod server;
pub mod socket;
pub mod types;
pub mod workers;

#[cfg(test)]
pub(crate) mod tests;
