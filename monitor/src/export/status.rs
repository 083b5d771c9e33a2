//! How an exporter is doing: the same for people, for the API and for metrics.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::export::cursor::Totals;

/// What an exporter is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExporterState {
    /// It was started a moment ago.
    #[default]
    Starting,
    /// Everything is delivered.
    Idle,
    /// Events are on their way.
    Delivering,
    /// The destination does not take them; tried again by itself.
    Waiting,
    /// Its settings cannot work (a secret that cannot be read, a certificate that is none); tried again by itself.
    Misconfigured,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub time: Timestamp,
    /// What, in words.
    pub error: String,
}

/// `GET /v1/export`: one exporter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExporterStatus {
    /// Its name.
    pub name: String,
    /// What kind of destination.
    pub destination: String,
    /// Where exactly.
    pub place: String,
    /// In which form.
    pub format: String,
    /// What it is at.
    pub state: ExporterState,
    /// Events that are in the store and not yet delivered (or not yet looked at).
    pub lag_events: u64,
    /// The age of the oldest event that waits, in seconds; 0 where none does.
    pub lag_seconds: u64,
    /// Bytes of the store that it still needs.
    pub spool_bytes: u64,
    /// Bytes of the store that are kept for it, past the store's own retention.
    pub spool_limit: u64,
    /// What became of events over its life; outlives the daemon.
    pub totals: Totals,
    /// Bytes delivered since the daemon started.
    pub bytes: u64,
    /// Deliveries since the daemon started that had to be repeated, in whole or in part.
    pub retries: u64,
    /// Events since the daemon started from which something was redacted.
    pub redacted: u64,
    /// When the destination last took something.
    pub last_delivery: Option<Timestamp>,
    /// What went wrong last, since the daemon started.
    pub last_error: Option<LastError>,
    /// Whether `last_error` still stands in the way.
    pub failing: bool,
}

/// The answer to `POST /v1/export/{name}/test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestDelivery {
    /// The exporter.
    pub name: String,
    /// The id of the test event: look for it at the destination.
    pub event: String,
    /// How long the delivery took, in milliseconds.
    pub milliseconds: u64,
}
