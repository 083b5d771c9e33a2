//! What is too old, or too much, goes: whole segments, by unlinking. What somebody still has to read stays longer.

use std::path::Path;
use std::time::SystemTime;

use crate::record::holds::Holds;
use crate::record::links::Chain;
use crate::record::removed;
use crate::record::segment::{SegmentFile, companions, list, open_for_reading};
use crate::record::signer::{About, Signer, Statement};
use crate::record::store::StoreConfig;

/// Unlinks what neither `config` nor `holds` keeps, except the segment `active`; of each, its signed end stays. Returns how
/// many segments went.
///
/// # Errors
/// Where the directory cannot be read, or a file cannot be unlinked.
pub fn apply(
    dir: &Path,
    config: &StoreConfig,
    holds: &Holds,
    active: Option<u64>,
    now: SystemTime,
    signer: &Signer,
) -> std::io::Result<usize> {
    let segments = list(dir)?;
    let mut gone = past(&segments, config, active, now);
    gone.retain(|segment| !holds.keep(&segments, segment.number));
    for segment in &gone {
        removed::note(dir, signer, end(segment))?;
        // The database first: a log without its database is nothing, a database without its log may lack events.
        std::fs::remove_file(&segment.path)?;
        for companion in companions(&segment.path) {
            match std::fs::remove_file(companion) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(gone.len())
}

/// What is left of a segment: where its chain ended, and zeros where it has none or cannot be read.
fn end(segment: &SegmentFile) -> Statement {
    let chain = open_for_reading(&segment.path)
        .and_then(|db| Chain::read(&db))
        .ok()
        .flatten();
    chain.map_or(
        Statement {
            about: About::Removed,
            segment: segment.number,
            first: 0,
            number: 0,
            link: [0; 32],
        },
        |chain| chain.statement(About::Removed, segment.number),
    )
}

/// Which of `segments` (oldest first) are past their retention. A segment is as old as its last write.
fn past<'a>(
    segments: &'a [SegmentFile],
    config: &StoreConfig,
    active: Option<u64>,
    now: SystemTime,
) -> Vec<&'a SegmentFile> {
    let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut gone = Vec::new();
    for segment in segments.iter().filter(|segment| Some(segment.number) != active) {
        let age = now.duration_since(segment.modified).unwrap_or_default();
        if bytes > config.retention_bytes || age > config.retention_age {
            bytes = bytes.saturating_sub(segment.bytes);
            gone.push(segment);
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_oldest_go_first_and_the_active_one_stays() {
        let now = SystemTime::now();
        let hour = Duration::from_secs(3_600);
        let segment = |number: u64, bytes, hours| SegmentFile {
            number,
            path: format!("events-{number}.db").into(),
            bytes,
            modified: now - hour * hours,
        };
        let segments = [
            segment(1, 10, 50),
            segment(2, 10, 20),
            segment(3, 10, 5),
            segment(4, 10, 0),
        ];
        let numbers = |bytes, hours, active| {
            let config = StoreConfig {
                retention_age: hour * hours,
                retention_bytes: bytes,
                ..StoreConfig::default()
            };
            past(&segments, &config, active, now)
                .iter()
                .map(|segment| segment.number)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(100, 100, Some(4)), Vec::<u64>::new());
        assert_eq!(numbers(100, 24, Some(4)), [1]);
        assert_eq!(numbers(25, 100, Some(4)), [1, 2]);
        assert_eq!(numbers(0, 100, Some(4)), [1, 2, 3]);
        assert_eq!(numbers(100, 1, Some(1)), [2, 3]);
    }
}
