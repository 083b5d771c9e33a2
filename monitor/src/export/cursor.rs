//! How far an exporter came: one small file, replaced at once, so that a crash leaves the old or the new one.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::export::chain::Link;
use crate::export::settings::ExportSettings;
use crate::record::holds::{Hold, Holds};
use crate::record::tail::Position;

/// How often the file is brought to the disk itself. A power cut costs duplicates of that long, and no event.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    /// Everything up to here is delivered, not wanted, refused for good or gone.
    pub position: Position,
    /// The last record's link in the chain of fingerprints.
    pub link: Option<Link>,
    /// Figures over the exporter's life.
    pub totals: Totals,
}

/// What became of events over an exporter's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Taken by the destination.
    pub delivered: u64,
    /// Not wanted by the filter.
    pub filtered: u64,
    /// Refused by the destination for good, while it took others.
    pub refused: u64,
    /// Given up: retention took them before they were delivered.
    pub given_up: u64,
}

/// The file of one exporter's cursor.
#[derive(Debug)]
pub struct CursorFile {
    path: PathBuf,
    synced: Option<Instant>,
}

impl CursorFile {
    /// The file of the exporter `name`; `dir` is the directory of all of them.
    #[must_use]
    pub fn of(dir: &Path, name: &str) -> Self {
        Self {
            path: dir.join(format!("{name}.json")),
            synced: None,
        }
    }

    /// What it says; `None` where there is none. One that cannot be understood counts as the beginning of everything:
    /// duplicates are better than losses.
    ///
    /// # Errors
    /// Where it is there and cannot be read.
    pub fn read(&self) -> io::Result<Option<Cursor>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::error!(
                    %error,
                    path = %self.path.display(),
                    "an exporter's cursor cannot be understood: it begins with the oldest event"
                );
                Cursor::default()
            }))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces it.
    ///
    /// # Errors
    /// Those of writing; the old one stays.
    pub fn write(&mut self, cursor: &Cursor) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(cursor)?)?;
        if self.synced.is_none_or(|synced| synced.elapsed() >= SYNC_EVERY) {
            file.sync_data()?;
            self.synced = Some(Instant::now());
        }
        fs::rename(&beside, &self.path)
    }
}

/// Holds for `exporters`, by what their cursors say: before the store is opened, so that its retention knows.
#[must_use]
pub fn holds(dir: &Path, exporters: &[ExportSettings]) -> Holds {
    let holds = Holds::default();
    for exporter in exporters {
        // A new one, or one whose cursor cannot be read now, says by itself what it needs.
        if let Ok(Some(cursor)) = CursorFile::of(dir, &exporter.name).read() {
            let segment = cursor.position.segment;
            let bytes = exporter.spool;
            holds.set(&exporter.name, Hold { segment, bytes });
        }
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nonsense_is_the_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = CursorFile::of(dir.path(), "siem");
        assert_eq!(file.read().unwrap(), None);
        let cursor = Cursor {
            position: Position {
                segment: 3,
                created: 17,
                batch: 5,
                id: Some("01J".into()),
                events: 99,
            },
            link: None,
            totals: Totals {
                delivered: 90,
                filtered: 9,
                ..Totals::default()
            },
        };
        file.write(&cursor).unwrap();
        file.write(&cursor).unwrap();
        assert_eq!(file.read().unwrap(), Some(cursor));
        fs::write(dir.path().join("siem.json"), b"{\"pos").unwrap();
        assert_eq!(file.read().unwrap(), Some(Cursor::default()));
    }
}
