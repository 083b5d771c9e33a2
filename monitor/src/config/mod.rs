//! What is read from /etc/scopeward: `daemon.toml`, one group of settings a file, everything optional; and the scope files.

pub mod api;
pub mod export;
pub mod export_http;
pub mod export_kafka;
pub mod export_stream;
pub mod exports;
pub mod file;
pub mod limits;
pub mod metrics;
pub mod paths;
pub mod quantity;
pub mod scope_files;
pub mod service;
pub mod store;
