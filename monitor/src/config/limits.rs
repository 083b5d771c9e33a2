//! `[limits]`: bounds on what the kernel side hands over.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::{config::quantity::Bytes, observe::load::RING};

/// What [`Limits::processes`] can be.
const PROCESSES: RangeInclusive<u32> = 16..=131_072;

/// The bounds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Events of cuts a second and session; what is above is counted, and the count is an event.
    pub quota: u32,
    /// Size of the ring buffer, a power of two in bytes.
    pub ring: Bytes,
    /// Processes in all sessions together, and never more than the host's `pid_max`. One more that a session starts ends at
    /// once, and whoever started it too.
    pub processes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            quota: 200,
            ring: Bytes(RING.into()),
            processes: *PROCESSES.end(),
        }
    }
}

impl Limits {
    /// What cannot be meant: the key, and what is wrong with its value.
    pub(super) fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if self.quota == 0 {
            mistakes.push(("quota", "is 0: then no cut would ever be recorded".to_owned()));
        }
        if !PROCESSES.contains(&self.processes) {
            mistakes.push(("processes", "is not between 16 and 131072".to_owned()));
        }
        if !self.ring.0.is_power_of_two() || !(64 << 10..=512 << 20).contains(&self.ring.0) {
            mistakes.push((
                "ring",
                "is not a power of two between 64KiB and 512MiB".to_owned(),
            ));
        }
        mistakes
    }
}
