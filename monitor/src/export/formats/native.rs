//! The event record itself, as the store and the API have it.

use crate::record::event::EventRecord;

/// `event` as one JSON object.
#[must_use]
pub fn write(event: &EventRecord) -> Vec<u8> {
    // A record has no keys that are not texts, and no numbers that are none.
    serde_json::to_vec(event).unwrap_or_default()
}
