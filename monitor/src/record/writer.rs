//! The store's one writer thread, and the handle that everybody else has on it.

use std::sync::Arc;
use std::time::Duration;

use crate::record::event::EventRecord;
use crate::record::queue::Queue;

/// Hands events to the store. Cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: Arc<Queue>,
}

impl Writer {
    /// Records an event. Never waits: where the backlog is full, the event is counted as lost and dropped.
    pub fn append(&self, event: impl Into<Arc<EventRecord>>) {
        self.queue.push(event.into());
    }

    /// Waits until what was appended before is on disk, at most `bound`. True where it is.
    #[must_use]
    pub fn flush(&self, bound: Duration) -> bool {
        self.queue.flush(bound)
    }
}
