//! Exporters against the store and destinations of our own.

pub(crate) mod corpus;
mod datagrams;
mod files;
mod page;
mod schema;
