//! Techniques that have a service act: bytes that reach a unix socket.

pub mod datagram;
pub mod io_uring;
pub mod stream;
pub mod target;
