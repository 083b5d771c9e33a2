//! Bytes of the ring → facts. Every length is checked, nothing is cast.

mod event;
mod reader;

pub use event::{
    Body, ChangeFacts, DecodeError, ExecFacts, Head, NetFacts, OpenFacts, OtherFacts, RawEvent, decode,
    response_of,
};
