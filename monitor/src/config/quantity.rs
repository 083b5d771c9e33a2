//! Sizes and lengths of time as people write them in TOML: `"64MiB"`, `"90days"`.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_bytes(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is no size: write \"64MiB\"")))
    }
}

/// Units of two and of ten, longest first.
const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// The bytes of a whole number and a unit; `None` where it is neither, or too large.
fn parse_bytes(text: &str) -> Option<u64> {
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = humantime::parse_duration(&text);
        span.map(Self).map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is no length of time: write \"90days\" or \"12h\""
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        let table = [
            ("64MiB", Some(64 << 20)),
            ("2 GiB", Some(2 << 30)),
            ("500MB", Some(500_000_000)),
            ("7B", Some(7)),
            ("64", None),
            ("-1MiB", None),
            ("1.5GiB", None),
            ("99999999999999TiB", None),
            ("MiB", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_bytes(text), expected, "{text}");
        }
    }
}
