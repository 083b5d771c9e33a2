//! Port numbers as scope files write them: `443`, `22,443`, `8000-8999`.

use std::{fmt, str::FromStr};

use super::endpoint_error::EndpointError;

/// An inclusive range of ports, 1 to 65535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The range from `first` to `last`; `None` for port 0 or where `first` is larger.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first == 0 || first > last {
            None
        } else {
            Some(Self { first, last })
        }
    }

    /// The lowest port.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// Is `port` inside?
    #[must_use]
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

/// A set of ports: sorted, without overlaps. Empty means every port.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports(Vec<PortRange>);

impl Ports {
    /// Every port.
    pub const ANY: Self = Self(Vec::new());

    /// The union of `ranges`; no range at all means every port.
    #[must_use]
    pub fn of(mut ranges: Vec<PortRange>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<PortRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(range.last);
                }
                _ => merged.push(range),
            }
        }
        Self(merged)
    }

    /// The ranges, lowest first; empty for every port.
    #[must_use]
    pub fn ranges(&self) -> &[PortRange] {
        &self.0
    }

    /// Does it name every port by naming none?
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// Is `port` one of them?
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.is_any() || self.0.iter().any(|range| range.contains(port))
    }

    /// How many ports it names, 1 to 65536.
    #[must_use]
    pub fn count(&self) -> u32 {
        if self.is_any() {
            return 65536;
        }
        self.0
            .iter()
            .map(|range| u32::from(range.last - range.first) + 1)
            .sum()
    }
}

impl FromStr for Ports {
    type Err = EndpointError;

    /// Reads `443`, `22,443`, `8000-8999` or a mix.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let ranges = text
            .split(',')
            .map(|one| range(one.trim()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self::of(ranges))
    }
}

fn range(text: &str) -> Result<PortRange, EndpointError> {
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (port(first.trim(), text)?, port(last.trim(), text)?),
        None => (port(text, text)?, port(text, text)?),
    };
    PortRange::new(first, last).ok_or(EndpointError::PortOrder { first, last })
}

fn port(text: &str, whole: &str) -> Result<u16, EndpointError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(EndpointError::Port(whole.into()));
    }
    match text.parse::<u16>() {
        Ok(0) => Err(EndpointError::PortZero),
        Ok(number) => Ok(number),
        Err(_) => Err(EndpointError::PortTooLarge(text.into())),
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match range {
                PortRange { first, last } if first == last => write!(f, "{comma}{first}")?,
                PortRange { first, last } => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}
