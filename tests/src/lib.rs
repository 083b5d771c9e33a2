//! Attack programs and fixtures that the end-to-end tests share.

pub mod attack;
