//! From a row of a segment back to the record as it was.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

use crate::record::event::{ChainPlace, EventRecord, ProcessRef, SessionRef};
use crate::record::query::DecodeError;
use crate::record::schema::{EndpointRow, Shape, timestamp};
use crate::record::signer::hex;

/// Most rows of one dictionary table that are kept while reading.
const MOST_KEPT: usize = 4_096;

/// The dictionary rows that were read lately.
#[derive(Debug)]
pub struct Restorer<'a> {
    db: &'a Connection,
    sessions: HashMap<i64, Rc<SessionRef>>,
    shapes: HashMap<i64, Rc<Shape<'static>>>,
    processes: HashMap<i64, Rc<ProcessRef>>,
    texts: HashMap<i64, Rc<str>>,
    /// The number of the segment's first record.
    first: u64,
}

impl<'a> Restorer<'a> {
    /// For the segment `db`.
    #[must_use]
    pub fn new(db: &'a Connection) -> Self {
        Self {
            db,
            sessions: HashMap::new(),
            shapes: HashMap::new(),
            processes: HashMap::new(),
            texts: HashMap::new(),
            first: first(db),
        }
    }

    /// The record of a row of [`crate::record::schema::EVENT_COLUMNS`].
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn restore(&mut self, row: &Row<'_>) -> Result<EventRecord, DecodeError> {
        let shape = self.shape(row.get(4)?)?;
        let mut event = shape.to_event(id_text(row.get(0)?), timestamp(row.get(1)?));
        event.session = self.session(row.get(2)?)?.as_ref().clone();
        event.process = self.process(row.get(3)?)?.as_ref().clone();
        event.act.path = row
            .get::<_, Option<i64>>(5)?
            .map(|path| self.path(path))
            .transpose()?;
        event.act.to = row
            .get::<_, Option<i64>>(6)?
            .map(|path| self.path(path))
            .transpose()?;
        if let Some(endpoint) = row.get(7)? {
            let endpoint: EndpointRow<'_> = self.json("endpoint", endpoint)?;
            event.act.address = endpoint.address;
            event.act.port = endpoint.port;
            event.act.name = endpoint.name.map(Cow::into_owned);
        }
        event.act.inode = row.get::<_, Option<i64>>(8)?.map(i64::cast_unsigned);
        event.act.status = row.get(9)?;
        event.count = row.get::<_, Option<i64>>(10)?.map_or(1, i64::cast_unsigned);
        if let (Some(place), Some(tag)) = (row.get::<_, Option<i64>>(12)?, row.get::<_, Option<i64>>(13)?) {
            event.chain = Some(ChainPlace {
                number: self.first - 1 + place.cast_unsigned(),
                link: hex(&tag.to_le_bytes()),
            });
        }
        event.process.tid = row.get::<_, Option<u32>>(11)?.unwrap_or(event.process.pid);
        Ok(event)
    }

    /// The session of row `id`.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn session(&mut self, id: i64) -> Result<Rc<SessionRef>, DecodeError> {
        if let Some(session) = self.sessions.get(&id) {
            return Ok(Rc::clone(session));
        }
        let session = Rc::new(self.json("session", id)?);
        Ok(keep(&mut self.sessions, id, session))
    }

    /// The shape of row `id`.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn shape(&mut self, id: i64) -> Result<Rc<Shape<'static>>, DecodeError> {
        if let Some(shape) = self.shapes.get(&id) {
            return Ok(Rc::clone(shape));
        }
        let shape = Rc::new(self.json("shape", id)?);
        Ok(keep(&mut self.shapes, id, shape))
    }

    fn process(&mut self, id: i64) -> Result<Rc<ProcessRef>, DecodeError> {
        if let Some(process) = self.processes.get(&id) {
            return Ok(Rc::clone(process));
        }
        let sql = "SELECT pid, ppid, started, exe, script, argv, cwd, uid, lineage FROM process WHERE id=?1";
        let db = self.db;
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([id])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let pid = row.get(0)?;
        let process = ProcessRef {
            pid,
            tid: pid,
            ppid: row.get(1)?,
            started: row.get::<_, Option<i64>>(2)?.map(timestamp),
            exe: self.optional_text(row.get(3)?)?,
            script: self.optional_text(row.get(4)?)?,
            argv: serde_json::from_str(&self.text(row.get(5)?)?)?,
            cwd: self.optional_text(row.get(6)?)?,
            uid: row.get(7)?,
            lineage: serde_json::from_str(&self.text(row.get(8)?)?)?,
        };
        Ok(keep(&mut self.processes, id, Rc::new(process)))
    }

    fn path(&mut self, id: i64) -> Result<String, DecodeError> {
        let mut statement = self.db.prepare_cached("SELECT dir, name FROM path WHERE id=?1")?;
        let (dir, name): (i64, String) = statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(self.text(dir)?.to_string() + &name)
    }

    fn text(&mut self, id: i64) -> Result<Rc<str>, DecodeError> {
        if let Some(text) = self.texts.get(&id) {
            return Ok(Rc::clone(text));
        }
        let text: String = self.value("text", id)?;
        Ok(keep(&mut self.texts, id, Rc::from(text)))
    }

    fn optional_text(&mut self, id: Option<i64>) -> Result<Option<String>, DecodeError> {
        id.map(|id| Ok(self.text(id)?.to_string())).transpose()
    }

    fn json<T: DeserializeOwned>(&self, table: &str, id: i64) -> Result<T, DecodeError> {
        Ok(serde_json::from_str(&self.value::<String>(table, id)?)?)
    }

    fn value<T: FromSql>(&self, table: &str, id: i64) -> Result<T, DecodeError> {
        let mut statement = self
            .db
            .prepare_cached(&format!("SELECT value FROM {table} WHERE id=?1"))?;
        Ok(statement.query_row([id], |row| row.get(0))?)
    }
}

/// The number of a segment's first record; 1 where it has no chain.
fn first(db: &Connection) -> u64 {
    let found = db.query_row("SELECT first FROM origin", [], |row| row.get::<_, i64>(0));
    found.map_or(1, |first| first.cast_unsigned().max(1))
}

fn keep<T: Clone>(kept: &mut HashMap<i64, T>, id: i64, value: T) -> T {
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
    kept.insert(id, value.clone());
    value
}

/// An id as it is said.
pub(super) fn id_text(id: Value) -> String {
    match id {
        Value::Blob(bytes) => match <[u8; 16]>::try_from(bytes) {
            Ok(bytes) => ulid::Ulid::from_bytes(bytes).to_string(),
            Err(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        },
        Value::Text(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Real(_) | Value::Null => String::new(),
    }
}
