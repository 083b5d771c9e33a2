//! Points in time as people and programs write them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

/// A point in time that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read {0:?} as a time: write 2026-11-22T06:00:00Z, 2026-11-22, \"2026-11-22 06:00\", or how long ago, as 10m or 2h"
)]
pub struct MomentError(String);

/// Reads a time: RFC 3339; a date, or a date and a time of day, in `zone`; or how long before `now`.
///
/// # Errors
/// [`MomentError`], with examples.
pub fn parse_moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, MomentError> {
    let trimmed = text.trim();
    let error = || MomentError(text.to_owned());
    if let Ok(time) = trimmed.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(ago) = humantime::parse_duration(trimmed) {
        let ago = SignedDuration::try_from(ago).map_err(|_| error())?;
        return now.checked_sub(ago).map_err(|_| error());
    }
    let local = trimmed.parse::<civil::DateTime>();
    let local = local.or_else(|_| trimmed.parse::<civil::Date>().map(|date| date.at(0, 0, 0, 0)));
    local
        .and_then(|local| local.to_zoned(zone.clone()))
        .map(|time| time.timestamp())
        .map_err(|_| error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        let now: Timestamp = "2026-11-22T06:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let table = [
            ("2026-11-22T05:00:00.5Z", "2026-11-22T05:00:00.5Z"),
            ("2026-11-22T05:00:00+01:00", "2026-11-22T04:00:00Z"),
            ("10m", "2026-11-22T05:50:00Z"),
            ("1h 30m", "2026-11-22T04:30:00Z"),
            ("2026-11-22", "2026-11-21T22:00:00Z"),
            ("2026-11-22 06:30", "2026-11-22T04:30:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(
                parse_moment(text, now, &zone),
                Ok(expected.parse().unwrap()),
                "{text}"
            );
        }
        for text in ["", "yesterday", "2026-13-01", "999999999y"] {
            assert!(parse_moment(text, now, &zone).is_err(), "{text}");
        }
    }
}
