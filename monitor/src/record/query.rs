//! Reading the segments: which of them, which rows, and the record as it was.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::record::event::EventRecord;
use crate::record::filter::{Filter, Order, Pattern};
use crate::record::restore::Restorer;
use crate::record::schema::{
    EVENT_COLUMNS, EndpointRow, UNCHAINED, UNCHAINED_COLUMNS, nanoseconds, timestamp,
};
use crate::record::segment::{SegmentFile, list, open_for_reading, read_meta};

/// What can go wrong with reading.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The store's directory.
    #[error("read {}: {source}", path.display())]
    Dir {
        /// Which directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A segment; the others were read.
    #[error("read {}: {source}", path.display())]
    Segment {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: DecodeError,
    },
}

/// A segment that does not hold what it should.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The database refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A dictionary row is not what it should be.
    #[error("decode a record: {0}")]
    Json(#[from] serde_json::Error),
}

/// The time of the oldest event of a segment; `None` where it has none or cannot be read.
#[must_use]
pub fn oldest(path: &Path) -> Option<Timestamp> {
    let db = open_for_reading(path).ok()?;
    read_meta(&db, "first").ok().flatten().map(timestamp)
}

/// Hands the events in `dir` that `filter` asks for to `visit`, in its order, until `visit` breaks.
///
/// # Errors
/// [`QueryError`], the first there was, after everything that can be read was visited.
pub fn visit(
    dir: &Path,
    filter: &Filter,
    visit: &mut dyn FnMut(EventRecord) -> ControlFlow<()>,
) -> Result<(), QueryError> {
    let mut segments = match list(dir) {
        Ok(segments) => segments,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(QueryError::Dir {
                path: dir.to_owned(),
                source,
            });
        }
    };
    if filter.order == Order::Newest {
        segments.reverse();
    }
    let mut left = filter.limit.unwrap_or(usize::MAX);
    let mut first_error = None;
    for segment in segments {
        if left == 0 {
            break;
        }
        match visit_segment(&segment, filter, &mut left, visit) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break,
            // Retention took it while this was reading the ones before.
            Err(_) if !segment.path.exists() => {}
            Err(source) => {
                first_error.get_or_insert(QueryError::Segment {
                    path: segment.path,
                    source,
                });
            }
        }
    }
    first_error.map_or(Ok(()), Err)
}

fn visit_segment(
    segment: &SegmentFile,
    filter: &Filter,
    left: &mut usize,
    visit: &mut dyn FnMut(EventRecord) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, DecodeError> {
    let db = open_for_reading(&segment.path)?;
    // One view of all tables for as long as this reads.
    db.execute_batch("BEGIN")?;
    if is_unborn(&db)? {
        return Ok(ControlFlow::Continue(()));
    }
    let after = |key, limit: Option<Timestamp>, past: fn(i64, i64) -> bool| match (read_meta(&db, key), limit)
    {
        (Ok(Some(edge)), Some(limit)) => past(edge, nanoseconds(limit)),
        _ => false,
    };
    if after("last", filter.since, |last, since| last < since)
        || after("first", filter.until, |first, until| first >= until)
    {
        return Ok(ControlFlow::Continue(()));
    }
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let columns = if version == UNCHAINED {
        UNCHAINED_COLUMNS
    } else {
        EVENT_COLUMNS
    };
    let (sql, values) = select(filter, columns, only_ulids(&db)?);
    let Some(mut rows_wanted) = RowsWanted::new(&db, filter)? else {
        return Ok(ControlFlow::Continue(()));
    };
    let mut restorer = Restorer::new(&db);
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        if !rows_wanted.wants(row, filter, &mut restorer)? {
            continue;
        }
        let event = restorer.restore(row)?;
        if filter.matches(&event) {
            *left -= 1;
            if visit(event).is_break() || *left == 0 {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Whether a segment was created a moment ago, and has no tables yet.
///
/// # Errors
/// As SQLite says.
pub fn is_unborn(db: &Connection) -> rusqlite::Result<bool> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(version == 0)
}

/// Whether every id is a ULID: other ids are texts, which sort before all of them.
fn only_ulids(db: &Connection) -> rusqlite::Result<bool> {
    let mut statement = db.prepare("SELECT 1 FROM event WHERE id < x'' LIMIT 1")?;
    Ok(!statement.exists([])?)
}

/// The part of `filter` that the database answers: time and id.
fn select(filter: &Filter, columns: &str, only_ulids: bool) -> (String, Vec<Value>) {
    let mut conditions = vec!["1".to_owned()];
    let mut values = Vec::new();
    if let Some(since) = filter.since.filter(|_| only_ulids) {
        // An id is never of an earlier millisecond than its event: what lies before is not even looked at.
        let ms = u64::try_from(since.as_millisecond()).unwrap_or(0);
        values.push(Value::Blob(ulid::Ulid::from_parts(ms, 0).to_bytes().to_vec()));
        conditions.push(format!("id >= ?{}", values.len()));
    }
    for (limit, operator) in [(filter.since, ">="), (filter.until, "<")] {
        if let Some(limit) = limit {
            values.push(Value::Integer(nanoseconds(limit)));
            conditions.push(format!("time {operator} ?{}", values.len()));
        }
    }
    if let Some(prefix) = &filter.id {
        let at = values.len();
        let (low, high) = ulid_range(prefix);
        // Ids that are no ULIDs are texts, and few: `matches` picks among them. (All texts sort before any blob.)
        conditions.push(format!(
            "(id BETWEEN ?{} AND ?{} OR id BETWEEN '' AND x'')",
            at + 1,
            at + 2
        ));
        values.extend([low, high].map(|ulid| Value::Blob(ulid.to_vec())));
    }
    let order = if filter.order == Order::Newest {
        "DESC"
    } else {
        "ASC"
    };
    let sql = format!(
        "SELECT {columns} FROM event WHERE {} ORDER BY id {order}",
        conditions.join(" AND ")
    );
    (sql, values)
}

/// The first and the last ULID that begin with `prefix`; an empty range where none can.
fn ulid_range(prefix: &str) -> ([u8; 16], [u8; 16]) {
    let edge = |fill: char| {
        let text: String = prefix
            .chars()
            .chain(std::iter::repeat(fill))
            .take(ulid::ULID_LEN)
            .collect();
        ulid::Ulid::from_string(&text)
            .ok()
            .filter(|ulid| ulid.to_string().eq_ignore_ascii_case(&text))
    };
    // A ULID's first character goes to 7 only.
    let last = if prefix.is_empty() {
        Some(ulid::Ulid(u128::MAX))
    } else {
        edge('Z')
    };
    match (edge('0'), last) {
        (Some(low), Some(high)) => (low.to_bytes(), high.to_bytes()),
        _ => ([0xff; 16], [0; 16]),
    }
}

/// Which rows can be answers, by the numbers in them alone; what is not known yet is looked up once.
struct RowsWanted {
    sessions: HashMap<i64, bool>,
    shapes: HashMap<i64, bool>,
    paths: Option<HashSet<i64>>,
    endpoints: Option<HashSet<i64>>,
}

impl RowsWanted {
    /// `None` where no row can be one.
    fn new(db: &Connection, filter: &Filter) -> Result<Option<Self>, DecodeError> {
        let paths = filter
            .path
            .as_ref()
            .map(|pattern| matching_paths(db, pattern))
            .transpose()?;
        let endpoints = filter
            .host
            .as_ref()
            .map(|pattern| matching_endpoints(db, pattern))
            .transpose()?;
        let none = paths.as_ref().is_some_and(HashSet::is_empty);
        Ok((!none).then(|| Self {
            sessions: HashMap::new(),
            shapes: HashMap::new(),
            paths,
            endpoints,
        }))
    }

    fn wants(
        &mut self,
        row: &Row<'_>,
        filter: &Filter,
        restorer: &mut Restorer<'_>,
    ) -> Result<bool, DecodeError> {
        let (session, shape): (i64, i64) = (row.get(2)?, row.get(4)?);
        let in_set = |set: &HashSet<i64>, column| -> rusqlite::Result<bool> {
            Ok(row
                .get::<_, Option<i64>>(column)?
                .is_some_and(|id| set.contains(&id)))
        };
        if let Some(paths) = &self.paths
            && !in_set(paths, 5)?
            && !in_set(paths, 6)?
        {
            return Ok(false);
        }
        let wanted = match self.sessions.get(&session) {
            Some(wanted) => *wanted,
            None => {
                let wanted = filter.matches_session(restorer.session(session)?.as_ref());
                *self.sessions.entry(session).or_insert(wanted)
            }
        };
        if !wanted {
            return Ok(false);
        }
        let wanted = match self.shapes.get(&shape) {
            Some(wanted) => *wanted,
            None => {
                let found = restorer.shape(shape)?;
                let wanted = (filter.kind.is_empty() || filter.kind.contains(&found.act.kind))
                    && filter.matches_verdict(found.verdict.called_for, found.verdict.applied);
                *self.shapes.entry(shape).or_insert(wanted)
            }
        };
        // An endpoint of another name can still be an answer: by the name of the machine.
        Ok(wanted
            && match (&self.endpoints, &filter.host) {
                (Some(endpoints), Some(pattern)) => {
                    in_set(endpoints, 7)? || pattern.matches(restorer.shape(shape)?.host_name())
                }
                _ => true,
            })
    }
}

fn matching_paths(db: &Connection, pattern: &Pattern) -> Result<HashSet<i64>, DecodeError> {
    let sql = "SELECT path.id, text.value || path.name FROM path JOIN text ON text.id = path.dir";
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut ids = HashSet::new();
    while let Some(row) = rows.next()? {
        if row.get_ref(1)?.as_str().is_ok_and(|path| pattern.matches(path)) {
            ids.insert(row.get(0)?);
        }
    }
    Ok(ids)
}

fn matching_endpoints(db: &Connection, pattern: &Pattern) -> Result<HashSet<i64>, DecodeError> {
    let mut statement = db.prepare("SELECT id, value FROM endpoint")?;
    let mut rows = statement.query([])?;
    let mut ids = HashSet::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(1)?;
        let endpoint: EndpointRow<'_> = serde_json::from_str(&text)?;
        if endpoint.name.is_some_and(|name| pattern.matches(&name))
            || endpoint
                .address
                .is_some_and(|address| pattern.matches(&address.to_string()))
        {
            ids.insert(row.get(0)?);
        }
    }
    Ok(ids)
}
