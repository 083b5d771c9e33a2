//! Cuts over a session's quota: counted and answered in the kernel, told together.

use jiff::Timestamp;

use crate::{record::event::EventRecord, service::state::State};

impl State {
    /// Repeats of cuts that went over the session's quota since this was last asked: one record that stands for all of
    /// them, with the latest emitted cut as their example. The kernel counted and answered each.
    pub fn overflow(&mut self, key: u64) -> Option<EventRecord> {
        let counted = self.kernel.maps.counts(key)?.suppressed;
        let session = self.sessions.get_mut(key)?;
        let fresh = counted
            .checked_sub(session.suppressed)
            .filter(|fresh| *fresh > 0)?;
        let mut record = session.last_record.clone()?;
        session.suppressed = counted;
        record.time = Timestamp::now();
        record.id = self.next_id(record.time);
        record.count = fresh;
        self.enter(key, &record);
        Some(record)
    }
}
