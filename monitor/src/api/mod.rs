//! HTTP/JSON on a unix socket, with callers known by their credentials.

pub mod control;
pub mod peer;
pub mod types;
