//! One segment: a SQLite file that is written until it is large or old, then sealed, and one day unlinked.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::record::chain::{Content, HEAD_EVERY, tag};
use crate::record::dictionary::{Dictionary, EncodeError};
use crate::record::event::EventRecord;
use crate::record::links::Chain;
use crate::record::schema::{INSERT_EVENT, TABLES, VERSION, nanoseconds};
use crate::record::signer::Signer;

/// What can go wrong with a segment; after any of it, the segment is opened anew.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The file or its directory.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// `create`, `read`, …
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The database.
    #[error("write {}: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: EncodeError,
    },
    /// The file was removed or replaced.
    #[error("find {}: it was removed while it was written", path.display())]
    Gone {
        /// Which file.
        path: PathBuf,
    },
    /// Written by a version whose tables are other ones.
    #[error("write {}: its tables are of version {version}, not {VERSION}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// What it says.
        version: i64,
    },
}

/// A segment's file, seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// Rises with every segment.
    pub number: u64,
    /// The database.
    pub path: PathBuf,
    /// Its size with its write-ahead log, in bytes.
    pub bytes: u64,
    /// When it was last written.
    pub modified: SystemTime,
}

/// The path of segment `number` in `dir`.
#[must_use]
pub fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("events-{number:08}.db"))
}

/// The files that may stand beside a database.
#[must_use]
pub fn companions(path: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

/// The segments in `dir`, oldest first.
///
/// # Errors
/// Where the directory cannot be read.
pub fn list(dir: &Path) -> std::io::Result<Vec<SegmentFile>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_prefix("events-")?.strip_suffix(".db")?.parse().ok());
        // One that was unlinked since the directory was read is none.
        let (Some(number), Ok(metadata)) = (number, path.metadata()) else {
            continue;
        };
        let mut segment = SegmentFile {
            number,
            bytes: metadata.len(),
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            path,
        };
        for metadata in companions(&segment.path)
            .iter()
            .filter_map(|path| path.metadata().ok())
        {
            segment.bytes += metadata.len();
            segment.modified = segment
                .modified
                .max(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        }
        segments.push(segment);
    }
    segments.sort_by_key(|segment| segment.number);
    Ok(segments)
}

/// The segment that is being written.
#[derive(Debug)]
pub struct Segment {
    /// Rises with every segment.
    pub number: u64,
    path: PathBuf,
    file: (u64, u64),
    created: Timestamp,
    db: Connection,
    dictionary: Dictionary,
    batch: i64,
    total: i64,
    signer: Arc<Signer>,
    chain: Chain,
    content: Content,
}

impl Segment {
    /// Opens segment `number` in `dir` for writing, or creates it.
    ///
    /// # Errors
    /// [`SegmentError`].
    pub fn open(dir: &Path, number: u64, signer: &Arc<Signer>) -> Result<Self, SegmentError> {
        let path = segment_path(dir, number);
        let fail = |source: rusqlite::Error| SegmentError::Write {
            path: path.clone(),
            source: source.into(),
        };
        let db = Connection::open(&path).map_err(fail)?;
        db.busy_timeout(Duration::from_secs(2)).map_err(fail)?;
        db.set_prepared_statement_cache_capacity(32);
        // NORMAL: a commit survives the death of the process at once, and a power cut from the next checkpoint on;
        // a power cut never leaves a database that cannot be read.
        db.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-1024;
             PRAGMA wal_autocheckpoint=500; PRAGMA journal_size_limit=4194304; PRAGMA temp_store=MEMORY;",
        )
        .map_err(fail)?;
        let version: i64 = db
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(fail)?;
        if version == 0 {
            let now = nanoseconds(Timestamp::now());
            let origin = Chain::before(dir, number).origin(number, signer);
            db.execute_batch(&format!(
                "BEGIN IMMEDIATE; {TABLES} INSERT INTO meta VALUES ('created', {now}); {origin} PRAGMA user_version={VERSION}; COMMIT;"
            ))
            .map_err(fail)?;
        } else if version != VERSION {
            return Err(SegmentError::Version { path, version });
        }
        let metadata = path.metadata().map_err(|source| SegmentError::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let created = read_meta(&db, "created").map_err(fail)?.unwrap_or_default();
        let created = crate::record::schema::timestamp(created);
        let file = (metadata.dev(), metadata.ino());
        let (batch, total) = last_batch(&db)
            .map_err(fail)?
            .unwrap_or((0, total_before(dir, number)));
        // One whose chain has no beginning is left as it is: the next one goes on from what is signed.
        let Some(chain) = Chain::read(&db).map_err(fail)? else {
            return Err(SegmentError::Version { path, version });
        };
        Ok(Self {
            signer: Arc::clone(signer),
            chain,
            content: Content::default(),
            number,
            file,
            created,
            db,
            dictionary: Dictionary::default(),
            batch,
            total,
            path,
        })
    }

    /// Writes a batch in one transaction, with `meta` beside it: all of it or nothing.
    ///
    /// # Errors
    /// [`SegmentError`]; the segment must then be dropped and opened again.
    pub fn write(&mut self, events: &[Arc<EventRecord>], meta: &[(&str, i64)]) -> Result<(), SegmentError> {
        // A file that was unlinked takes everything and keeps nothing.
        match self.path.metadata() {
            Ok(metadata) if (metadata.dev(), metadata.ino()) == self.file => {}
            _ => {
                return Err(SegmentError::Gone {
                    path: self.path.clone(),
                });
            }
        }
        self.transaction(events, meta)
            .map_err(|source| SegmentError::Write {
                path: self.path.clone(),
                source,
            })
    }

    fn transaction(&mut self, events: &[Arc<EventRecord>], meta: &[(&str, i64)]) -> Result<(), EncodeError> {
        let transaction = self.db.transaction()?;
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let (batch, mut count, mut ids) = (self.batch + 1, 0_i64, None);
        let mut chain = self.chain;
        for event in events {
            let references = self.dictionary.refer(&transaction, event, &mut self.content)?;
            let next = chain.after(&self.content);
            let time = nanoseconds(event.time);
            (first, last) = (first.min(time), last.max(time));
            let id = id_value(&event.id);
            let inserted = transaction.prepare_cached(INSERT_EVENT)?.execute(params![
                id,
                time,
                references.session,
                references.process,
                references.shape,
                references.path,
                references.target,
                references.endpoint,
                event.act.inode.map(u64::cast_signed),
                event.act.status,
                (event.count != 1).then_some(event.count.cast_signed()),
                (event.process.tid != event.process.pid).then_some(event.process.tid),
                batch,
                next.place.cast_signed(),
                tag(&next.link),
            ])?;
            // What was there already has its place.
            if inserted == 1 {
                count += 1;
                ids = Some(wider(ids, id));
                chain = next;
                if chain.place.is_multiple_of(HEAD_EVERY) {
                    chain.write_head(&transaction, self.number, &self.signer)?;
                }
            }
        }
        if chain.place != self.chain.place {
            chain.write_latest(&transaction, self.number, &self.signer)?;
        }
        if !events.is_empty() {
            let first = read_meta(&transaction, "first")?.map_or(first, |old| old.min(first));
            let last = read_meta(&transaction, "last")?.map_or(last, |old| old.max(last));
            write_meta(&transaction, &[("first", first), ("last", last)])?;
        }
        if let Some((first, last)) = ids {
            let row = params![batch, self.total, count, first, last];
            transaction
                .prepare_cached("INSERT INTO batch VALUES (?1,?2,?3,?4,?5)")?
                .execute(row)?;
        }
        write_meta(&transaction, meta)?;
        transaction.commit()?;
        if count > 0 {
            (self.batch, self.total) = (batch, self.total + count);
        }
        self.chain = chain;
        Ok(())
    }

    /// How many events the store took in its life, up to the last one here.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total.cast_unsigned()
    }

    /// A number that was kept beside the events.
    #[must_use]
    pub fn meta(&self, key: &str) -> Option<i64> {
        read_meta(&self.db, key).ok().flatten()
    }

    /// How long ago it was created.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::try_from(Timestamp::now().duration_since(self.created)).unwrap_or_default()
    }

    /// Its size with its write-ahead log, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let log = companions(&self.path).into_iter().next();
        [Some(self.path.clone()), log]
            .iter()
            .flatten()
            .filter_map(|path| path.metadata().ok())
            .map(|m| m.len())
            .sum()
    }

    /// Folds the write-ahead log in; nothing is written to this segment any more.
    ///
    /// # Errors
    /// [`SegmentError`]: the log then stays beside it, which does no harm.
    pub fn seal(self) -> Result<(), SegmentError> {
        let fail = |source: rusqlite::Error| SegmentError::Write {
            path: self.path.clone(),
            source: source.into(),
        };
        self.db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(fail)
    }
}

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
fn total_before(dir: &Path, number: u64) -> i64 {
    let before = list(dir).unwrap_or_default();
    before
        .iter()
        .rev()
        .filter(|segment| segment.number < number)
        .find_map(|segment| last_batch(&open_for_reading(&segment.path).ok()?).ok().flatten())
        .map_or(0, |(_, total)| total)
}

/// The range of ids that holds `id` too, in the order of the database: texts before blobs.
fn wider(range: Option<(Value, Value)>, id: Value) -> (Value, Value) {
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

/// Opens a segment for reading; a writer may be at work on it.
///
/// # Errors
/// As SQLite says.
pub fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(Duration::from_secs(2))?;
    db.execute_batch("PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;")?;
    Ok(db)
}

/// A number kept in `meta`.
///
/// # Errors
/// As SQLite says.
pub fn read_meta(db: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT value FROM meta WHERE key=?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

fn write_meta(db: &Connection, values: &[(&str, i64)]) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1,?2)")?;
    for (key, value) in values {
        statement.execute(params![key, value])?;
    }
    Ok(())
}

/// A ULID in its sixteen bytes; any other id as it is.
#[must_use]
pub fn id_value(id: &str) -> Value {
    match ulid::Ulid::from_string(id) {
        Ok(ulid) if ulid.to_string() == id => Value::Blob(ulid.to_bytes().to_vec()),
        _ => Value::Text(id.to_owned()),
    }
}
