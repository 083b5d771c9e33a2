//! One event on its way to a destination.

use crate::export::chain::Link;
use crate::record::event::EventRecord;
use crate::record::tail::Position;

/// An event, what is written of it, and how far the exporter is once it is delivered.
#[derive(Clone, Debug)]
pub struct Item {
    /// The event, redacted where that is asked for.
    pub event: EventRecord,
    /// What is written: one line without its end.
    pub body: Vec<u8>,
    /// The position behind it.
    pub after: Position,
    /// Its link in the chain of fingerprints.
    pub link: Option<Link>,
}
