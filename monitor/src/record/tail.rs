//! Everything that is written, in the order in which it was written: for readers that remember how far they came.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, params};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::record::event::EventRecord;
use crate::record::holds::Holds;
use crate::record::query::{DecodeError, QueryError, is_unborn};
use crate::record::restore::Restorer;
use crate::record::schema::{EVENT_COLUMNS, VERSION};
use crate::record::segment::{SegmentFile, id_value, last_batch, list, open_for_reading, read_meta};

/// How far a reader came. The default is the beginning of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Position {
    /// The segment that is being read.
    pub segment: u64,
    /// When that segment was created, in nanoseconds since 1970: another number means another store.
    pub created: i64,
    /// The batch in it that is being read.
    pub batch: i64,
    /// The last event that was read of this batch.
    pub id: Option<String>,
    /// How many events the store took in its life up to there.
    pub events: u64,
}

/// The end of the store that grows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tail {
    dir: PathBuf,
    /// What retention leaves for readers.
    pub holds: Holds,
    /// How many events the store took in its life; changes with every transaction.
    pub written: watch::Receiver<u64>,
}

/// What came of a reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How far it came.
    pub position: Position,
    /// Events in between that are gone: unlinked by retention, or in a damaged segment.
    pub gone: u64,
    /// Whether nothing is left to read for now.
    pub end: bool,
}

impl Tail {
    /// The end of the store in `dir`.
    #[must_use]
    pub fn new(dir: &Path, holds: Holds, written: watch::Receiver<u64>) -> Self {
        Self {
            dir: dir.to_owned(),
            holds,
            written,
        }
    }

    /// Hands what was written after `from` to `visit`, each with the position behind it, until it breaks. An event
    /// at which `visit` breaks counts as read.
    ///
    /// # Errors
    /// [`QueryError`]: try again from the last position that `visit` was given.
    pub fn read(
        &self,
        from: &Position,
        visit: &mut dyn FnMut(EventRecord, &Position) -> ControlFlow<()>,
    ) -> Result<Reading, QueryError> {
        let segments = list(&self.dir).map_err(|source| QueryError::Dir {
            path: self.dir.clone(),
            source,
        })?;
        let mut reading = Reading {
            position: found_again(&segments, from),
            gone: 0,
            end: false,
        };
        let from = reading.position.segment;
        for segment in segments.iter().filter(|segment| segment.number >= from) {
            match read_segment(segment, &mut reading, visit) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(reading),
                // Retention was faster; or nobody will ever read it.
                Err(error) if !segment.path.exists() || is_damaged(&error) => {
                    tracing::warn!(segment = segment.number, %error, "a segment of the store is passed over");
                }
                Err(source) => {
                    return Err(QueryError::Segment {
                        path: segment.path.clone(),
                        source,
                    });
                }
            }
        }
        reading.end = true;
        Ok(reading)
    }

    /// The position behind everything that was written.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn end(&self) -> Result<Position, QueryError> {
        let segments = list(&self.dir).map_err(|source| QueryError::Dir {
            path: self.dir.clone(),
            source,
        })?;
        end_of(&segments)
    }

    /// The bytes of the segments that are not read to the end.
    #[must_use]
    pub fn bytes_after(&self, position: &Position) -> u64 {
        list(&self.dir)
            .unwrap_or_default()
            .iter()
            .filter(|segment| segment.number >= position.segment)
            .map(|segment| segment.bytes)
            .sum()
    }
}

/// `from`, where its segment is still the same; its segment's successor, where it is gone; else the beginning.
fn found_again(segments: &[SegmentFile], from: &Position) -> Position {
    let created = |segment: &SegmentFile| {
        let db = open_for_reading(&segment.path).ok()?;
        read_meta(&db, "created").ok().flatten()
    };
    let same = segments.iter().find(|segment| segment.number == from.segment);
    let newest = segments.last().map_or(0, |segment| segment.number);
    let elsewhere = match same {
        // One that cannot be read just now is not another one.
        Some(segment) => created(segment).is_some_and(|created| created != from.created && from.created != 0),
        None => from.segment > newest,
    };
    if elsewhere && from.segment != 0 {
        tracing::warn!("the store is not the one that was read before: it is read from its beginning");
        Position::default()
    } else {
        from.clone()
    }
}

fn end_of(segments: &[SegmentFile]) -> Result<Position, QueryError> {
    let mut position: Option<Position> = None;
    for segment in segments.iter().rev() {
        let fail = |source: rusqlite::Error| QueryError::Segment {
            path: segment.path.clone(),
            source: source.into(),
        };
        let db = open_for_reading(&segment.path).map_err(fail)?;
        if is_unborn(&db).map_err(fail)? {
            continue;
        }
        let last = last_batch(&db).map_err(fail)?;
        let position = position.get_or_insert(Position {
            segment: segment.number,
            created: read_meta(&db, "created").map_err(fail)?.unwrap_or_default(),
            // Behind a batch stands the next one.
            batch: last.map_or(0, |(number, _)| number + 1),
            ..Position::default()
        });
        // The newest may have nothing yet: the one before says how many events there were.
        if let Some((_, total)) = last {
            position.events = total.cast_unsigned();
            break;
        }
    }
    Ok(position.unwrap_or_default())
}

fn read_segment(
    segment: &SegmentFile,
    reading: &mut Reading,
    visit: &mut dyn FnMut(EventRecord, &Position) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, DecodeError> {
    let db = open_for_reading(&segment.path)?;
    // One view of all tables for as long as this reads.
    db.execute_batch("BEGIN")?;
    if is_unborn(&db)? {
        return Ok(ControlFlow::Continue(()));
    }
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let created = read_meta(&db, "created")?.unwrap_or_default();
    let position = &mut reading.position;
    // Who begins with everything there is misses nothing.
    let mut fresh = position.segment == 0;
    if (position.segment, position.created) != (segment.number, created) {
        *position = Position {
            segment: segment.number,
            created,
            batch: 0,
            id: None,
            events: position.events,
        };
    }
    if version != VERSION {
        // Before version 2 nothing says in which order events came.
        return Ok(ControlFlow::Continue(()));
    }
    let mut restorer = Restorer::new(&db);
    let mut batches =
        db.prepare("SELECT number, base, first, last, count FROM batch WHERE number >= ?1 ORDER BY number")?;
    let mut rows = batches.query([position.batch])?;
    while let Some(row) = rows.next()? {
        let (number, base): (i64, i64) = (row.get(0)?, row.get(1)?);
        let range: (Value, Value) = (row.get(2)?, row.get(3)?);
        if number != position.batch || position.id.is_none() {
            let before = base.cast_unsigned();
            if !std::mem::take(&mut fresh) {
                reading.gone += before.saturating_sub(position.events);
            }
            (position.batch, position.id, position.events) = (number, None, before);
        }
        if read_batch(&db, &mut restorer, range, position, &mut reading.gone, visit)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let count: i64 = row.get(4)?;
        (position.batch, position.id) = (number + 1, None);
        position.events = (base + count).cast_unsigned();
    }
    Ok(ControlFlow::Continue(()))
}

fn read_batch(
    db: &Connection,
    restorer: &mut Restorer<'_>,
    (first, last): (Value, Value),
    position: &mut Position,
    gone: &mut u64,
    visit: &mut dyn FnMut(EventRecord, &Position) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, DecodeError> {
    let begun = position.id.as_deref().map(id_value);
    let above = if begun.is_some() { ">" } else { ">=" };
    let sql = format!(
        "SELECT {EVENT_COLUMNS} FROM event WHERE id {above} ?1 AND id <= ?2 AND batch = ?3 ORDER BY id"
    );
    let mut events = db.prepare_cached(&sql)?;
    let mut rows = events.query(params![begun.unwrap_or(first), last, position.batch])?;
    while let Some(row) = rows.next()? {
        position.events += 1;
        match restorer.restore(row) {
            Ok(event) => {
                position.id = Some(event.id.clone());
                if visit(event, position).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            // One that nobody can read again does not keep the others back.
            Err(DecodeError::Json(error)) => {
                tracing::warn!(%error, "an event of the store is passed over");
                *gone += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn is_damaged(error: &DecodeError) -> bool {
    match error {
        DecodeError::Sqlite(error) => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
        DecodeError::Json(_) => true,
    }
}
