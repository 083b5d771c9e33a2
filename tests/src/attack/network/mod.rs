//! Techniques that deliver bytes to an endpoint, one family a file.

pub mod crafted;
pub mod datagram;
pub mod fast_open;
pub mod in_thread;
pub mod io_uring;
pub mod nonblocking;
pub mod reconnect;
pub mod stream;
pub mod target;
