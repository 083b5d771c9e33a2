//! Times and lengths of time as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time in the terminal's zone, as `2026-11-22 06:00:00`.
#[must_use]
pub fn local(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The day of a time, as `2026-11-22`.
#[must_use]
pub fn day(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string()
}

/// The time of the day, to the millisecond.
#[must_use]
pub fn clock(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string()
}

/// Seconds as the two largest units that matter, as `2h 5m`.
#[must_use]
pub fn length(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

/// How long after `since` it is at `now`.
#[must_use]
pub fn age(since: Timestamp, now: Timestamp) -> String {
    length(now.duration_since(since).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        let table = [
            (-5, "0s"),
            (59, "59s"),
            (60, "1m 0s"),
            (7_500, "2h 5m"),
            (86_400, "1d 0h"),
            (200_000, "2d 7h"),
        ];
        for (seconds, expected) in table {
            assert_eq!(length(seconds), expected);
        }
    }
}
