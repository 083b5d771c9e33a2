//! How long to leave a destination alone: longer each time, never quite the same, so that many hosts do not come at once.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest that a destination may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// The pauses between attempts.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It went well.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// How often it failed in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// The next pause: between half and all of a span that doubles, and no less than the destination `asked` for.
    /// `chance` is anything that differs from time to time.
    pub fn next(&mut self, asked: Option<Duration>, chance: u64) -> Duration {
        let span = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = span / 2;
        let thousandths = u32::try_from(chance % 1_000).unwrap_or(0);
        let pause = half + half * thousandths / 1_000;
        pause.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

/// A number that differs from time to time and from host to host.
#[must_use]
pub fn chance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_start_anew() {
        let mut backoff = Backoff::default();
        let mut before = Duration::ZERO;
        for _ in 0..7 {
            let pause = backoff.next(None, 0);
            assert!(pause > before);
            before = pause;
        }
        for chance in 0..2_000 {
            let pause = backoff.next(None, chance);
            assert!(pause >= Duration::from_secs(16) && pause <= LONGEST, "{pause:?}");
        }
        assert_eq!(
            backoff.next(Some(Duration::from_secs(90)), 5),
            Duration::from_secs(90)
        );
        assert_eq!(backoff.next(Some(Duration::from_secs(9_000)), 5), LONGEST_ASKED);
        backoff.reset();
        assert!(backoff.next(None, 999) < FIRST);
    }
}
