//! Named sets: the credential catalogue and the endpoint sets, as data files.

pub mod credentials;
pub mod endpoints;
