//! What a worker says about itself.

use std::sync::PoisonError;

use jiff::Timestamp;

use crate::export::outcome::Trouble;
use crate::export::status::{ExporterState, ExporterStatus, LastError};
use crate::export::worker::Worker;

impl Worker {
    pub(super) fn failed(&mut self, trouble: &Trouble, state: ExporterState) {
        if self.backoff.failures() == 0 {
            tracing::warn!(
                exporter = self.settings.name,
                why = trouble.why,
                "events wait in the store"
            );
        }
        self.say(trouble.why.clone());
        self.with_status(|status| {
            status.retries += 1;
            status.failing = true;
            status.state = state;
        });
    }

    pub(super) fn say(&self, error: String) {
        let time = Timestamp::now();
        self.with_status(|status| status.last_error = Some(LastError { time, error }));
    }

    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let lag = self
            .status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .lag_seconds;
        let since = jiff::SignedDuration::from_secs(i64::try_from(lag).ok()?);
        (lag > 0)
            .then(|| Timestamp::now().checked_sub(since).ok())
            .flatten()
    }

    pub(super) fn figures(&self, oldest: Option<Timestamp>) {
        let written = *self.tail.written.borrow();
        let position = &self.cursor.position;
        let lag = written.saturating_sub(position.events);
        let age = oldest.map_or(0, |oldest| {
            u64::try_from(Timestamp::now().duration_since(oldest).as_secs()).unwrap_or(0)
        });
        let needed = if lag == 0 {
            0
        } else {
            self.tail.bytes_after(position)
        };
        let totals = self.cursor.totals;
        self.with_status(|status| {
            status.lag_events = lag;
            status.lag_seconds = if lag == 0 { 0 } else { age };
            status.spool_bytes = needed;
            status.totals = totals;
        });
    }

    pub(super) fn with_status(&self, change: impl FnOnce(&mut ExporterStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
