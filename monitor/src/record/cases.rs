//! Incidents and the rotation list on disk: one small SQLite file beside the segments, kept longer than they are.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};

use crate::ledger::decision::Decision;
use crate::ledger::incidents::Incident;
use crate::ledger::rotation::Rotation;

/// The file, in the store's directory.
const FILE: &str = "cases.db";
/// The version of its tables.
const VERSION: i64 = 1;
/// Most incidents that are kept, the newest.
const KEPT: i64 = 10_000;

/// What can go wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// The database.
    #[error("use the file of incidents: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Something in it is not what it should be.
    #[error("read an incident: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by a later version.
    #[error("read the file of incidents: its tables are of version {0}, not {VERSION}")]
    Version(i64),
}

/// The open file.
#[derive(Debug)]
pub struct Cases {
    db: Connection,
}

/// What is written together.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Incidents that began or changed.
    pub incidents: Vec<Incident>,
    /// Entries of the rotation list that are new or changed.
    pub rotations: Vec<Rotation>,
    /// What people decided.
    pub decisions: Vec<Decision>,
}

impl Changes {
    /// Whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.incidents.is_empty() && self.rotations.is_empty() && self.decisions.is_empty()
    }
}

impl Cases {
    /// Opens the file in `dir`, or makes it.
    ///
    /// # Errors
    /// [`CasesError`].
    pub fn open(dir: &Path) -> Result<Self, CasesError> {
        let db = Connection::open(dir.join(FILE))?;
        db.busy_timeout(Duration::from_secs(2))?;
        db.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        match version {
            0 => db.execute_batch(&format!(
                "BEGIN IMMEDIATE;
                 CREATE TABLE incident (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                 CREATE TABLE rotation (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                 CREATE TABLE decision (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                 PRAGMA user_version={VERSION}; COMMIT;"
            ))?,
            VERSION => {}
            other => return Err(CasesError::Version(other)),
        }
        Ok(Self { db })
    }

    /// Writes what changed: all of it or nothing. The oldest incidents go where there are too many.
    ///
    /// # Errors
    /// [`CasesError`].
    pub fn save(&mut self, changes: &Changes) -> Result<(), CasesError> {
        let transaction = self.db.transaction()?;
        for incident in &changes.incidents {
            put(&transaction, "incident", &incident.id, incident)?;
        }
        for rotation in &changes.rotations {
            put(&transaction, "rotation", &rotation.id, rotation)?;
        }
        for decision in &changes.decisions {
            // To the nanosecond: two of one session at one time are one.
            let id = format!("{} {} {}", decision.time, decision.session, decision.what);
            put(&transaction, "decision", &id, decision)?;
        }
        // Ids begin with the time.
        let oldest: Option<String> = transaction
            .query_row(
                "SELECT id FROM incident ORDER BY id DESC LIMIT 1 OFFSET ?1",
                [KEPT],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(oldest) = oldest {
            transaction.execute("DELETE FROM incident WHERE id <= ?1", [oldest])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The newest `limit` incidents, the oldest of them first.
    ///
    /// # Errors
    /// [`CasesError`].
    pub fn incidents(&self, limit: usize) -> Result<Vec<Incident>, CasesError> {
        let mut found = self.read("SELECT value FROM incident ORDER BY id DESC LIMIT ?1", limit)?;
        found.reverse();
        Ok(found)
    }

    /// The rotation list, the oldest first.
    ///
    /// # Errors
    /// [`CasesError`].
    pub fn rotations(&self) -> Result<Vec<Rotation>, CasesError> {
        self.read("SELECT value FROM rotation ORDER BY id LIMIT ?1", usize::MAX >> 1)
    }

    /// The newest `limit` decisions, the oldest of them first.
    ///
    /// # Errors
    /// [`CasesError`].
    pub fn decisions(&self, limit: usize) -> Result<Vec<Decision>, CasesError> {
        let mut found = self.read("SELECT value FROM decision ORDER BY id DESC LIMIT ?1", limit)?;
        found.reverse();
        Ok(found)
    }

    fn read<T: DeserializeOwned>(&self, sql: &str, limit: usize) -> Result<Vec<T>, CasesError> {
        let mut statement = self.db.prepare(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query([limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(serde_json::from_str(
                row.get_ref(0)?.as_str().unwrap_or_default(),
            )?);
        }
        Ok(found)
    }
}

fn put(db: &Connection, table: &str, id: &str, value: &impl Serialize) -> Result<(), CasesError> {
    db.prepare_cached(&format!("INSERT OR REPLACE INTO {table} VALUES (?1,?2)"))?
        .execute(params![id, serde_json::to_string(value)?])?;
    Ok(())
}
