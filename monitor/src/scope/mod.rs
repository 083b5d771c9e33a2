//! What an agent may do: pure data, no I/O.

pub mod argv;
pub mod builtin;
pub mod capability;
pub mod diff;
pub mod effective;
pub mod endpoint;
pub mod endpoint_error;
mod endpoint_parse;
pub mod error;
pub mod explain;
pub mod extends;
pub mod merge;
pub mod model;
pub mod name_glob;
pub mod parse;
pub mod pattern;
pub mod pattern_parse;
pub mod ports;
pub mod registries;
pub mod rule_id;
pub mod secret;
pub mod sets;
pub mod statements;
pub mod suggest;
#[cfg(test)]
pub(crate) mod tests;
pub mod validate;
pub mod words;
