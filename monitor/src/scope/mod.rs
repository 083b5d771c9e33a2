//! What an agent may do: pure data, no I/O.

pub mod words;
