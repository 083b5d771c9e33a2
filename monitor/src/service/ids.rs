//! The ids of events.

use jiff::Timestamp;
use ulid::Ulid;

use crate::service::state::State;

impl State {
    /// ULIDs in the order of time, also within a millisecond, and also where an event is told late.
    pub(super) fn next_id(&mut self, time: Timestamp) -> String {
        let ms = u64::try_from(time.as_millisecond()).unwrap_or(0);
        let fresh = Ulid::from_parts(ms, rand_bits());
        let id = match self.last_id {
            Some(last) if fresh <= last => last.increment().unwrap_or(fresh),
            _ => fresh,
        };
        self.last_id = Some(id);
        id.to_string()
    }
}

/// The random part of a ULID.
fn rand_bits() -> u128 {
    Ulid::new().random()
}
