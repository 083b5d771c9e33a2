//! The heads of segments that retention removed: what was there, up to which record, and that nobody else took it.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::record::signer::{About, Signer, Statement, hex, unhex};

/// The file, one JSON object a line.
const FILE: &str = "removed.ndjson";

/// One removed segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The segment.
    pub segment: u64,
    /// The number of its first record.
    pub first: u64,
    /// The number of its last record.
    pub last: u64,
    /// The link of its last record, in hexadecimal digits.
    pub link: String,
    /// When it was removed.
    pub at: jiff::Timestamp,
    /// The signature, in hexadecimal digits.
    pub signature: String,
}

impl Removed {
    /// The statement that is signed; `None` where the line is damaged.
    #[must_use]
    pub fn statement(&self) -> Option<Statement> {
        Some(Statement {
            about: About::Removed,
            segment: self.segment,
            first: self.first,
            number: self.last,
            link: unhex(&self.link)?,
        })
    }
}

/// Notes that a segment is about to be removed; on disk when this returns.
///
/// # Errors
/// What the filesystem says.
pub fn note(dir: &Path, signer: &Signer, mut statement: Statement) -> std::io::Result<()> {
    statement.about = About::Removed;
    let line = Removed {
        segment: statement.segment,
        first: statement.first,
        last: statement.number,
        link: hex(&statement.link),
        at: jiff::Timestamp::now(),
        signature: hex(&signer.sign(&statement)),
    };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(dir.join(FILE))?;
    file.write_all(&text)?;
    file.sync_all()
}

/// What was noted, the lowest segment first; a line that is no such object is an error of its own.
///
/// # Errors
/// What the filesystem says.
pub fn read(dir: &Path) -> std::io::Result<Vec<Result<Removed, String>>> {
    let text = match fs::read_to_string(dir.join(FILE)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    Ok(text
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{FILE}: {error}")))
        .collect())
}
