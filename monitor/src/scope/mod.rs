//! What an agent may do: pure data, no I/O.

pub mod argv;
pub mod effective;
pub mod endpoint;
pub mod endpoint_error;
mod endpoint_parse;
pub mod error;
pub mod model;
pub mod name_glob;
pub mod pattern;
pub mod pattern_parse;
pub mod ports;
pub mod rule_id;
pub mod suggest;
pub mod words;
