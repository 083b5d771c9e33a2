//! One sample: an act done over and over, in short batches, of whose times the median counts. What interrupts a batch
//! (another process, the hypervisor) then spoils that batch alone.

use std::io;
use std::time::{Duration, Instant};

/// How long a batch is meant to take, ns.
const BATCH: u64 = 200_000;
/// Room for this many batches; a sample ends when it is full.
const ROOM: usize = 1 << 16;

/// What a sample found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Nanoseconds of one act.
    pub nanos: f64,
    /// How many acts were timed.
    pub acts: u64,
}

/// Does `act` for `length`, after a fifth of that for warming up. `act` says how many nanoseconds of it do not count.
///
/// # Errors
/// Those of `act`.
pub fn sample(length: Duration, mut act: impl FnMut() -> io::Result<u64>) -> io::Result<Sample> {
    let begun = Instant::now();
    let mut warm = 0_u64;
    while begun.elapsed() < length / 5 || warm < 3 {
        act()?;
        warm += 1;
    }
    let batch = (warm * BATCH / nanos(begun.elapsed()).max(1)).max(1);
    let mut times: Vec<u64> = Vec::with_capacity(ROOM);
    let begun = Instant::now();
    while begun.elapsed() < length && times.len() < ROOM {
        let mut apart = 0;
        let start = Instant::now();
        for _ in 0..batch {
            apart += act()?;
        }
        times.push(nanos(start.elapsed()).saturating_sub(apart));
    }
    let acts = batch * times.len() as u64;
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or(0);
    Ok(Sample {
        nanos: median as f64 / batch as f64,
        acts,
    })
}

/// A duration in nanoseconds.
#[must_use]
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::sample;

    #[test]
    fn what_does_not_count_is_left_out() {
        let begun = std::time::Instant::now();
        let slow = sample(Duration::from_millis(20), || {
            std::thread::sleep(Duration::from_micros(100));
            Ok(0)
        })
        .unwrap();
        assert!(slow.nanos > 100_000.0 && slow.acts > 0, "{slow:?}");
        let free = sample(Duration::from_millis(20), || {
            std::thread::sleep(Duration::from_micros(100));
            Ok(u64::MAX / 1_000_000)
        })
        .unwrap();
        assert_eq!(free.nanos, 0.0);
        assert!(begun.elapsed() > Duration::from_millis(40));
    }
}
