//! Where events go: one file each, and [`destination`], which picks one.

pub mod bulk;
pub mod destination;
pub mod file;
pub mod hec;
pub mod journald;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod loki;
pub mod nats;
pub mod otlp;
pub mod syslog;
pub mod webhook;

pub use destination::Destination;
