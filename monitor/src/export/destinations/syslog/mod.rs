//! Syslog: messages of RFC 5424, over TLS (RFC 5425), TCP (RFC 6587, octets counted), UDP or a unix socket.

pub mod message;
pub mod transport;

pub use transport::SyslogDestination;
