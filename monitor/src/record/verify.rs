//! Walks over the chain of a stored record, and names what does not fit.

use std::collections::HashMap;
use std::path::Path;

use ed25519_dalek::VerifyingKey;
use rusqlite::{Connection, OptionalExtension};

use crate::record::chain::{Content, Link, tag};
use crate::record::removed::{self, Removed};
use crate::record::restore::id_text;
use crate::record::schema::timestamp;
use crate::record::segment::{list, open_for_reading};
use crate::record::signer::{About, Statement, hex, unhex};
use crate::record::stored::Stored;

/// Most findings that are named; the rest is counted.
const MOST_FINDINGS: usize = 100;

/// What a walk over the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Segments that were read.
    pub segments: u64,
    /// Segments of versions without a chain.
    pub unchained: u64,
    /// Segments that retention removed, with a signed head left.
    pub removed: u64,
    /// Records that were read.
    pub records: u64,
    /// The number of the last record.
    pub last: u64,
    /// The link of the last record, in hexadecimal digits.
    pub link: String,
    /// What does not fit, in words; empty where all does.
    pub findings: Vec<String>,
    /// Findings that are not named any more.
    pub more: u64,
}

impl Report {
    fn finding(&mut self, words: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(words);
        } else {
            self.more += 1;
        }
    }
}

/// A record that somebody kept the place of: its number, and the beginning of its link in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The record's number.
    pub number: u64,
    /// Its link, or the beginning of it.
    pub link: String,
}

/// Walks over the store in `dir`.
///
/// # Errors
/// What the filesystem says about the directory; what is wrong inside it is a finding.
pub fn verify(dir: &Path, key: &VerifyingKey, kept: &[Kept]) -> std::io::Result<Report> {
    let mut walk = Walk {
        key,
        kept,
        report: Report::default(),
        next: None,
        link: [0; 32],
        segment: 0,
    };
    let mut gone: Vec<Removed> = Vec::new();
    for line in removed::read(dir)? {
        match line {
            Ok(line) => gone.push(line),
            Err(error) => walk
                .report
                .finding(format!("a note of a removed segment is damaged: {error}")),
        }
    }
    gone.sort_by_key(|one| one.segment);
    gone.dedup_by_key(|one| one.segment);
    let segments = list(dir)?;
    let mut numbers: Vec<u64> = segments.iter().map(|one| one.number).collect();
    numbers.extend(gone.iter().map(|one| one.segment));
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        walk.skipped(number);
        match segments.iter().find(|one| one.number == number) {
            Some(file) => walk.file(&file.path, number),
            None => {
                if let Some(one) = gone.iter().find(|one| one.segment == number) {
                    walk.gone(one);
                }
            }
        }
        walk.segment = number;
    }
    for one in kept {
        if one.number >= walk.next.unwrap_or(1) {
            walk.report.finding(format!(
                "record {} is not there any more: the store ends with record {}",
                one.number,
                walk.next.unwrap_or(1) - 1
            ));
        }
    }
    walk.report.last = walk.next.map_or(0, |next| next - 1);
    walk.report.link = hex(&walk.link);
    Ok(walk.report)
}

struct Walk<'w> {
    key: &'w VerifyingKey,
    kept: &'w [Kept],
    report: Report,
    /// The number of the next record; `None` before the first chained segment.
    next: Option<u64>,
    link: Link,
    /// The segment before.
    segment: u64,
}

impl Walk<'_> {
    /// Segments are numbered without gaps from 1.
    fn skipped(&mut self, number: u64) {
        for missing in self.segment + 1..number {
            self.report.finding(format!(
                "segment {missing} is missing, and retention did not remove it"
            ));
            // What follows is held to its own signed origin.
            self.next = None;
        }
    }

    fn gone(&mut self, one: &Removed) {
        self.report.removed += 1;
        let signed = one.statement().filter(|statement| {
            unhex::<64>(&one.signature).is_some_and(|signature| statement.is_signed(self.key, &signature))
        });
        let Some(statement) = signed else {
            self.report.finding(format!(
                "the note that retention removed segment {} is not signed by this key",
                one.segment
            ));
            self.next = None;
            return;
        };
        if statement.first == 0 {
            // It had no chain, or could not be read.
            self.report.unchained += 1;
            self.next = None;
            return;
        }
        self.begins(one.segment, statement.first, None);
        (self.next, self.link) = (Some(statement.number + 1), statement.link);
    }

    /// Whether a segment goes on where the one before it ended.
    fn begins(&mut self, segment: u64, first: u64, link: Option<&Link>) {
        let Some(next) = self.next else { return };
        if next != first || link.is_some_and(|link| *link != self.link) {
            self.report.finding(format!(
                "segment {segment} does not go on where the one before it ended: it begins with record {first}, \
                 and {next} was to come"
            ));
        }
    }

    fn file(&mut self, path: &Path, segment: u64) {
        self.report.segments += 1;
        if let Err(error) = self.rows(path, segment) {
            self.report
                .finding(format!("{} cannot be read: {error}", path.display()));
            self.next = None;
        }
    }

    fn rows(&mut self, path: &Path, segment: u64) -> rusqlite::Result<()> {
        let db = open_for_reading(path)?;
        // One view of all tables for as long as this reads.
        db.execute_batch("BEGIN")?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version < 2 {
            self.report.unchained += 1;
            if self.next.is_some() {
                self.report.finding(format!(
                    "segment {segment} has no chain, and comes after segments that have one"
                ));
            }
            return Ok(());
        }
        let origin: Option<(u64, Vec<u8>, Vec<u8>)> = db
            .query_row("SELECT first, link, signature FROM origin", [], |row| {
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let signed = |about, first, number, link: &[u8], signature: &[u8]| {
            let link = Link::try_from(link).ok()?;
            let statement = Statement {
                about,
                segment,
                first,
                number,
                link,
            };
            statement.is_signed(self.key, signature).then_some(link)
        };
        let origin = origin.and_then(|(first, link, signature)| {
            Some((first, signed(About::Origin, first, first - 1, &link, &signature)?))
        });
        let Some((first, link)) = origin else {
            self.report.finding(format!(
                "the beginning of segment {segment} is not signed by this key"
            ));
            self.next = None;
            return Ok(());
        };
        let mut heads: HashMap<u64, Link> = HashMap::new();
        let mut last = None;
        let mut statement = db.prepare("SELECT place, link, signature, 0 FROM head UNION ALL SELECT place, link, signature, 1 FROM latest")?;
        let mut rows = statement.query([])?;
        let mut unsigned = Vec::new();
        while let Some(row) = rows.next()? {
            let place = row.get::<_, i64>(0)?.cast_unsigned();
            let (link, signature): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
            let is_last = row.get::<_, i64>(3)? == 1;
            let about = if is_last { About::Last } else { About::Head };
            match signed(about, first, first - 1 + place, &link, &signature) {
                Some(link) => {
                    heads.insert(place, link);
                    if is_last {
                        last = Some(place);
                    }
                }
                None => unsigned.push(place),
            }
        }
        for place in unsigned {
            self.report.finding(format!(
                "the head of segment {segment} at record {} is not signed by this key",
                first - 1 + place
            ));
        }
        self.begins(segment, first, Some(&link));
        self.link = link;
        let read = self.chain(&db, segment, first, &heads)?;
        self.next = Some(first + read);
        match last {
            Some(place) if place > read => self.report.finding(format!(
                "records {} to {} were removed from the end of segment {segment}",
                first + read,
                first - 1 + place
            )),
            Some(place) if place < read => self.report.finding(format!(
                "records {} to {} of segment {segment} are not covered by its last head",
                first + place,
                first - 1 + read
            )),
            None if read > 0 => self.report.finding(format!(
                "segment {segment} has no last head: its end cannot be told"
            )),
            _ => {}
        }
        Ok(())
    }

    /// Walks over the rows of a segment; returns the place of the last one.
    fn chain(
        &mut self,
        db: &Connection,
        segment: u64,
        first: u64,
        heads: &HashMap<u64, Link>,
    ) -> rusqlite::Result<u64> {
        let mut texts = Stored::new(db);
        let mut content = Content::default();
        let mut statement = db.prepare(
            "SELECT id, time, session, process, shape, path, target, endpoint, inode, status, count, tid, place, tag
             FROM event ORDER BY place",
        )?;
        let mut rows = statement.query([])?;
        let mut before = 0;
        // After a row that does not fit, the links are not known until the next head.
        let mut known = true;
        while let Some(row) = rows.next()? {
            let place = row.get::<_, Option<i64>>(12)?.unwrap_or(0).cast_unsigned();
            if place != before + 1 {
                self.gap(segment, first, before, place);
                known = false;
            }
            self.report.records += 1;
            texts.take_in(&mut content, row)?;
            let number = first - 1 + place;
            if known {
                self.link = content.link(&self.link);
                if row.get::<_, Option<i64>>(13)? != Some(tag(&self.link)) {
                    let (id, time) = (id_text(row.get(0)?), timestamp(row.get(1)?));
                    self.report.finding(format!(
                        "record {number} ({id}, {time}) in segment {segment} is not what was written there: it was changed, \
                         or put in another's place"
                    ));
                    known = false;
                }
            }
            if let Some(head) = heads.get(&place) {
                if known && *head != self.link {
                    self.report.finding(format!(
                        "the records up to {number} in segment {segment} are not those that were signed"
                    ));
                }
                (self.link, known) = (*head, true);
            }
            self.hold_against_kept(number, known);
            before = place;
        }
        Ok(before)
    }

    fn gap(&mut self, segment: u64, first: u64, before: u64, place: u64) {
        let (from, to) = (first + before, (first + place).saturating_sub(2));
        self.report.finding(if place <= before {
            format!(
                "segment {segment} has two records in the place {}",
                first - 1 + place
            )
        } else if from == to {
            format!("record {from} was removed from segment {segment}")
        } else {
            format!("records {from} to {to} were removed from segment {segment}")
        });
    }

    fn hold_against_kept(&mut self, number: u64, known: bool) {
        for one in self.kept.iter().filter(|one| one.number == number) {
            if !known || !hex(&self.link).starts_with(&one.link.to_lowercase()) {
                self.report.finding(format!(
                    "record {number} is not the one whose link {} was kept",
                    one.link
                ));
            }
        }
    }
}
