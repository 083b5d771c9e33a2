//! How answers look: tables for people, NDJSON for programs.

pub mod escape;
pub mod event;
pub mod json;
pub mod origin;
pub mod output;
pub mod table;
pub mod time;
pub mod words;
