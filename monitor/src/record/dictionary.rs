//! What a segment's writer remembers of the dictionary tables: content → row.

use std::collections::HashMap;
use std::hash::Hash;

use rusqlite::{Connection, params};

use crate::record::chain::{Content, Texts, take_in};
use crate::record::event::{EventRecord, ProcessRef};
use crate::record::schema::{EndpointRow, Shape, nanoseconds, split_path};

/// Most bytes (of content) that one table's memory may hold before it starts anew.
const MOST_BYTES: usize = 1 << 20;

/// Failing to write a row.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The database refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A part of the record is not JSON; cannot happen with the types there are.
    #[error("encode a record: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Debug)]
struct Memory<K> {
    rows: HashMap<K, i64>,
    bytes: usize,
}

impl<K> Default for Memory<K> {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            bytes: 0,
        }
    }
}

impl<K: Eq + Hash> Memory<K> {
    fn remember(&mut self, key: K, bytes: usize, row: i64) {
        // 48 bytes: about what an entry costs beside its content.
        self.bytes += bytes + size_of::<K>() + 48;
        if self.bytes > MOST_BYTES {
            *self = Self {
                rows: HashMap::new(),
                bytes,
            };
        }
        self.rows.insert(key, row);
    }
}

/// The rows of a process row; what identifies it in the memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ProcessKey {
    pid: u32,
    ppid: u32,
    started: Option<i64>,
    exe: Option<i64>,
    script: Option<i64>,
    argv: i64,
    cwd: Option<i64>,
    uid: u32,
    lineage: i64,
}

/// The memory of one segment. After a failed transaction it knows rows that are not there: drop it then.
#[derive(Debug, Default)]
pub struct Dictionary {
    texts: Memory<Box<str>>,
    sessions: Memory<Box<str>>,
    shapes: Memory<Box<str>>,
    endpoints: Memory<Box<str>>,
    paths: Memory<(i64, Box<str>)>,
    processes: Memory<ProcessKey>,
}

/// The rows that an event refers to.
#[derive(Clone, Copy, Debug)]
pub struct References {
    /// `session`
    pub session: i64,
    /// `process`
    pub process: i64,
    /// `shape`
    pub shape: i64,
    /// `path`, of the object
    pub path: Option<i64>,
    /// `path`, the second one
    pub target: Option<i64>,
    /// `endpoint`
    pub endpoint: Option<i64>,
}

impl Dictionary {
    /// Writes what is new of `event` into the dictionary tables, and takes all of it into `content`.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn refer(
        &mut self,
        db: &Connection,
        event: &EventRecord,
        content: &mut Content,
    ) -> Result<References, EncodeError> {
        let endpoint = EndpointRow::of(&event.act);
        let endpoint = endpoint
            .map(|endpoint| serde_json::to_string(&endpoint))
            .transpose()?;
        let session = serde_json::to_string(&event.session)?;
        let shape = serde_json::to_string(&Shape::of(event))?;
        let argv = serde_json::to_string(&event.process.argv)?;
        let lineage = serde_json::to_string(&event.process.lineage)?;
        let texts = Texts {
            session: &session,
            shape: &shape,
            endpoint: endpoint.as_deref(),
            argv: &argv,
            lineage: &lineage,
        };
        take_in(content, event, &texts);
        Ok(References {
            session: intern(db, "session", &mut self.sessions, &session)?,
            process: self.process(db, &event.process, &argv, &lineage)?,
            shape: intern(db, "shape", &mut self.shapes, &shape)?,
            path: self.path(db, event.act.path.as_deref())?,
            target: self.path(db, event.act.to.as_deref())?,
            endpoint: endpoint
                .map(|text| intern(db, "endpoint", &mut self.endpoints, &text))
                .transpose()?,
        })
    }

    fn text(&mut self, db: &Connection, text: Option<&str>) -> Result<Option<i64>, EncodeError> {
        text.map(|text| intern(db, "text", &mut self.texts, text))
            .transpose()
    }

    fn process(
        &mut self,
        db: &Connection,
        process: &ProcessRef,
        argv: &str,
        lineage: &str,
    ) -> Result<i64, EncodeError> {
        let key = ProcessKey {
            pid: process.pid,
            ppid: process.ppid,
            started: process.started.map(nanoseconds),
            exe: self.text(db, process.exe.as_deref())?,
            script: self.text(db, process.script.as_deref())?,
            argv: intern(db, "text", &mut self.texts, argv)?,
            cwd: self.text(db, process.cwd.as_deref())?,
            uid: process.uid,
            lineage: intern(db, "text", &mut self.texts, lineage)?,
        };
        if let Some(row) = self.processes.rows.get(&key) {
            return Ok(*row);
        }
        let sql = "INSERT INTO process (pid, ppid, started, exe, script, argv, cwd, uid, lineage)
                   VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)";
        let ProcessKey {
            pid,
            ppid,
            started,
            exe,
            script,
            argv,
            cwd,
            uid,
            lineage,
        } = &key;
        let row = db
            .prepare_cached(sql)?
            .insert(params![pid, ppid, started, exe, script, argv, cwd, uid, lineage])?;
        self.processes.remember(key, 0, row);
        Ok(row)
    }

    fn path(&mut self, db: &Connection, path: Option<&str>) -> Result<Option<i64>, EncodeError> {
        let Some(path) = path else { return Ok(None) };
        let (dir, name) = split_path(path);
        let key = (intern(db, "text", &mut self.texts, dir)?, Box::from(name));
        if let Some(row) = self.paths.rows.get(&key) {
            return Ok(Some(*row));
        }
        let row = db
            .prepare_cached("INSERT INTO path (dir, name) VALUES (?1,?2)")?
            .insert(params![key.0, key.1])?;
        self.paths.remember(key, name.len(), row);
        Ok(Some(row))
    }
}

/// The row of `text` in `table` (`id`, `value`), written where it is not remembered.
fn intern(
    db: &Connection,
    table: &str,
    memory: &mut Memory<Box<str>>,
    text: &str,
) -> Result<i64, EncodeError> {
    if let Some(row) = memory.rows.get(text) {
        return Ok(*row);
    }
    let row = db
        .prepare_cached(&format!("INSERT INTO {table} (value) VALUES (?1)"))?
        .insert([text])?;
    memory.remember(Box::from(text), text.len(), row);
    Ok(row)
}
