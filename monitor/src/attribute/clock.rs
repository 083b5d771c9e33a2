//! The kernel's boot clock as time of day.

use jiff::Timestamp;
use nix::time::{ClockId, clock_gettime};

/// Turns boot-clock nanoseconds into time of day. Taken anew from time to time, because the time of day can be set.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Time of day less boot clock, ns.
    offset: i128,
}

impl Clock {
    /// Reads both clocks.
    #[must_use]
    pub fn now() -> Self {
        let ns = |id| {
            clock_gettime(id).map_or(0, |time| {
                i128::from(time.tv_sec()) * 1_000_000_000 + i128::from(time.tv_nsec())
            })
        };
        let before = ns(ClockId::CLOCK_BOOTTIME);
        let wall = ns(ClockId::CLOCK_REALTIME);
        let after = ns(ClockId::CLOCK_BOOTTIME);
        Self {
            offset: wall - i128::midpoint(before, after),
        }
    }

    /// The boot clock, ns.
    #[must_use]
    pub fn boot_ns() -> u64 {
        clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0, |time| {
            u64::try_from(time.tv_sec()).unwrap_or(0) * 1_000_000_000
                + u64::try_from(time.tv_nsec()).unwrap_or(0)
        })
    }

    /// A moment of the boot clock as time of day.
    #[must_use]
    pub fn wall(&self, boot_ns: u64) -> Timestamp {
        Timestamp::from_nanosecond(self.offset + i128::from(boot_ns)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
