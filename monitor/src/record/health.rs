//! How the store is doing, as `status` shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether events reach the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreState {
    /// They do.
    #[default]
    Ok,
    /// They wait in memory; the reason, in words. Tried again by itself.
    Failing(String),
}

/// What a stop without a shutdown (kill -9, power) may have cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last event that was stored before the stop; `None` where there was none.
    pub after: Option<Timestamp>,
    /// When the store was opened again.
    pub opened: Timestamp,
    /// Events that had been handed to the store and were not committed. Those of the very last
    /// milliseconds may be missing from this figure too.
    pub lost: u64,
}

/// The store's condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHealth {
    /// Whether events reach the disk.
    pub state: StoreState,
    /// Events that wait in memory.
    pub backlog: u64,
    /// Events written since this store was opened.
    pub written: u64,
    /// Events that found the backlog full since this store was opened: not stored.
    pub lost: u64,
    /// Of `lost`, those that were cuts.
    pub lost_cuts: u64,
    /// How many segment files there are.
    pub segments: u64,
    /// Their size together, in bytes, write-ahead logs included.
    pub bytes: u64,
    /// The time of the oldest event.
    pub oldest: Option<Timestamp>,
    /// How often, in this directory's life, the store was stopped without a shutdown.
    pub unclean_stops: u64,
    /// The latest of them, where it was the stop just before this start.
    pub gap: Option<Gap>,
}
