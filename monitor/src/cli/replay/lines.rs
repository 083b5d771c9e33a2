//! Recorded events, line by line: nothing but one line is ever in memory.

use std::io::{self, BufRead, Read as _};

use crate::{
    api::types::{MISSED_SCHEMA, MissedLine},
    record::event::{EventRecord, SCHEMA},
};

/// The longest line that is read, in bytes; events are held to a few kilobytes when they are recorded.
const LINE_MAX: u64 = 4 << 20;

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is too long.
    #[error("it is longer than {} MiB", LINE_MAX >> 20)]
    Long,
    /// It is not text.
    #[error("it is not UTF-8: {0}")]
    Text(std::str::Utf8Error),
    /// It is not an event.
    #[error("it is not an event record: {}", .0.to_string().replace(" at line 1 column ", " at column "))]
    Json(serde_json::Error),
    /// It is a record of something else, or of another version.
    #[error("its schema is `{0}`, and this is for `{SCHEMA}`")]
    Schema(String),
}

/// One line that says something.
#[derive(Debug)]
pub(super) enum Line {
    /// An act.
    Event(Box<EventRecord>),
    /// So many acts were not recorded here.
    Missed(u64),
}

/// A file's lines.
pub(super) struct Lines<R> {
    from: R,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(from: R) -> Self {
        Self {
            from,
            number: 0,
            buffer: Vec::new(),
        }
    }

    /// The next line that is not blank, with its number from 1. `None` at the end.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Result<Line, Malformed>)>> {
        loop {
            self.buffer.clear();
            let mut bounded = self.from.by_ref().take(LINE_MAX);
            if bounded.read_until(b'\n', &mut self.buffer)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let ended = self.buffer.ends_with(b"\n");
            if !ended && self.buffer.len() as u64 == LINE_MAX {
                skip_line(&mut self.from)?;
                return Ok(Some((self.number, Err(Malformed::Long))));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(Some((self.number, parse(&self.buffer))));
            }
        }
    }
}

fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let there = from.fill_buf()?;
        if there.is_empty() {
            return Ok(());
        }
        let end = there.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(there.len(), |at| at + 1);
        from.consume(taken);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Line, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(Malformed::Text)?;
    match serde_json::from_str::<EventRecord>(text) {
        Ok(event) if event.schema == SCHEMA => Ok(Line::Event(Box::new(event))),
        Ok(event) => Err(Malformed::Schema(event.schema)),
        Err(error) => match serde_json::from_str::<MissedLine>(text) {
            Ok(missed) if missed.schema == MISSED_SCHEMA => Ok(Line::Missed(missed.missed)),
            _ => Err(Malformed::Json(error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::sample;

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(bytes);
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            found.push(match line {
                Ok(Line::Event(event)) => format!("{number} {}", event.id),
                Ok(Line::Missed(count)) => format!("{number} missed {count}"),
                Err(error) => format!("{number} {error}"),
            });
        }
        found
    }

    #[test]
    fn each_line_stands_for_itself() {
        let event = serde_json::to_string(&sample::event(3)).unwrap();
        let other = event.replace("scopeward.event/1", "scopeward.event/9");
        let mut bytes = format!("{event}\n\n  \r\nnull\n{other}\n").into_bytes();
        bytes.extend_from_slice(b"\xff\xfe\n{\"schema\":\"scopeward.missed/1\",\"missed\":12}\n\0\n");
        bytes.extend_from_slice(event.as_bytes());
        let found = read(&bytes);
        let id = sample::event(3).id;
        assert_eq!(found.len(), 7, "{found:#?}");
        assert_eq!(found[0], format!("1 {id}"));
        assert!(
            found[1].starts_with("4 it is not an event record"),
            "{}",
            found[1]
        );
        assert_eq!(
            found[2],
            "5 its schema is `scopeward.event/9`, and this is for `scopeward.event/1`"
        );
        assert!(found[3].starts_with("6 it is not UTF-8"), "{}", found[3]);
        assert_eq!(found[4], "7 missed 12");
        assert!(
            found[5].starts_with("8 it is not an event record"),
            "{}",
            found[5]
        );
        assert_eq!(found[6], format!("9 {id}"));
    }

    #[test]
    fn a_line_without_end_takes_no_memory_and_the_next_one_is_read() {
        let event = serde_json::to_string(&sample::event(1)).unwrap();
        let mut bytes = vec![b'['; usize::try_from(LINE_MAX).unwrap() * 2 + 7];
        bytes.extend_from_slice(format!("\n{event}\n").as_bytes());
        let found = read(&bytes);
        assert_eq!(
            found,
            [
                "1 it is longer than 4 MiB".to_owned(),
                format!("2 {}", sample::event(1).id)
            ]
        );
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        let found = read(&[b"[".repeat(100_000).as_slice(), b"\n"].concat());
        assert!(found[0].starts_with("1 it is not an event record"), "{found:?}");
    }
}
