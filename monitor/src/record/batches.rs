//! Batches of a segment: what one transaction wrote. They tell a reader what is new, which ids cannot: those follow the
//! clock.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, types::Value};

use crate::record::segment::{list, open_for_reading};

/// The number of the last batch, and how many events the store took in its life up to it; `None` where there is none.
///
/// # Errors
/// As SQLite says.
pub fn last_batch(db: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    db.query_row(
        "SELECT number, base + count FROM batch ORDER BY number DESC LIMIT 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .optional()
}

/// How many events the store took in its life before segment `number`, as the segments in `dir` say.
#[must_use]
pub fn total_before(dir: &Path, number: u64) -> i64 {
    let before = list(dir).unwrap_or_default();
    before
        .iter()
        .rev()
        .filter(|segment| segment.number < number)
        .find_map(|segment| last_batch(&open_for_reading(&segment.path).ok()?).ok().flatten())
        .map_or(0, |(_, total)| total)
}

/// The range of ids that holds `id` too, in the order of the database: texts before blobs.
#[must_use]
pub fn wider(range: Option<(Value, Value)>, id: Value) -> (Value, Value) {
    let key = |value: &Value| match value {
        Value::Text(text) => (0, text.as_bytes().to_vec()),
        Value::Blob(bytes) => (1, bytes.clone()),
        _ => (0, Vec::new()),
    };
    match range {
        None => (id.clone(), id),
        Some((first, last)) if key(&id) < key(&first) => (id, last),
        Some((first, last)) if key(&id) > key(&last) => (first, id),
        Some(range) => range,
    }
}
