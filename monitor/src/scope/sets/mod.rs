//! Named sets: the credential catalogue, the endpoint sets and the control sockets, as data files.

pub mod credentials;
pub mod endpoints;
pub mod sockets;
