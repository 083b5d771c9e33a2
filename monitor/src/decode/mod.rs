//! Bytes of the ring → facts. Every length is checked, nothing is cast.

mod event;
mod reader;

pub use event::{Body, DecodeError, ExecFacts, Head, NetFacts, OpenFacts, OtherFacts, RawEvent, decode};
