//! `[store]`: what is kept, and for how long.

use std::time::Duration;

use serde::Deserialize;

use crate::config::quantity::{Bytes, Span};
use crate::record::store::StoreConfig;

/// The settings of the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreSettings {
    /// Segments whose last event is older are removed.
    pub max_age: Span,
    /// The oldest segments are removed while all are larger than this.
    pub max_size: Bytes,
    /// A new segment begins past this size.
    pub segment_size: Bytes,
    /// A new segment begins past this age.
    pub segment_age: Span,
    /// Events held in memory while the disk refuses.
    pub backlog: usize,
}

impl Default for StoreSettings {
    fn default() -> Self {
        let config = StoreConfig::default();
        Self {
            max_age: Span(config.retention_age),
            max_size: Bytes(config.retention_bytes),
            segment_size: Bytes(config.segment_bytes),
            segment_age: Span(config.segment_age),
            backlog: config.backlog,
        }
    }
}

impl StoreSettings {
    /// As the store takes them.
    #[must_use]
    pub const fn config(&self) -> StoreConfig {
        StoreConfig {
            retention_age: self.max_age.0,
            retention_bytes: self.max_size.0,
            segment_bytes: self.segment_size.0,
            segment_age: self.segment_age.0,
            backlog: self.backlog,
        }
    }

    /// What cannot be meant: the key, and what is wrong with its value.
    pub(super) fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if self.max_size < Bytes(1 << 20) {
            mistakes.push(("max-size", "is less than 1MiB".to_owned()));
        }
        if self.segment_size < Bytes(64 << 10) {
            mistakes.push(("segment-size", "is less than 64KiB".to_owned()));
        }
        if self.max_age < Span(Duration::from_secs(60)) {
            mistakes.push(("max-age", "is less than a minute".to_owned()));
        }
        if !(1..=1_000_000).contains(&self.backlog) {
            mistakes.push(("backlog", "is not between 1 and 1,000,000".to_owned()));
        }
        mistakes
    }
}
