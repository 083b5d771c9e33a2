//! How far a run of the store came: what it says about itself in its segments, and, outside any transaction, how many
//! events it had been handed.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use jiff::Timestamp;

use crate::record::schema::timestamp;
use crate::record::segment::{list, open_for_reading, read_meta};

/// How the latest run in a directory ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastRun {
    /// False where it was stopped without a shutdown.
    pub clean: bool,
    /// Events that it committed.
    pub committed: u64,
    /// Runs that were stopped so before it.
    pub unclean_stops: u64,
    /// The time of the last event.
    pub last: Option<Timestamp>,
}

impl LastRun {
    /// What the segments in `dir` say; `None` where there is none that can be read.
    #[must_use]
    pub fn read(dir: &Path) -> Option<Self> {
        let mut run: Option<Self> = None;
        // A death can leave one segment at the end that is still empty.
        for segment in list(dir).ok()?.iter().rev() {
            let Ok(db) = open_for_reading(&segment.path) else {
                continue;
            };
            let meta = |key| read_meta(&db, key).ok().flatten();
            let number = |key| meta(key).map_or(0, i64::cast_unsigned);
            if run.is_none()
                && let Some(clean) = meta("clean")
            {
                run = Some(Self {
                    clean: clean != 0,
                    committed: number("committed"),
                    unclean_stops: number("unclean_stops"),
                    last: None,
                });
            }
            if let Some(run) = &mut run
                && let Some(last) = meta("last")
            {
                run.last = Some(timestamp(last));
                break;
            }
        }
        run
    }
}

/// The file `taken` in the store's directory: eight bytes, little-endian, the events of this run.
#[derive(Debug, Default)]
pub struct Progress {
    file: Option<File>,
}

impl Progress {
    /// Opens the file, and starts anew from 0. Returns what the last run left there; `None` where it left nothing,
    /// or where the file cannot be opened.
    pub fn open(&mut self, dir: &Path) -> Option<u64> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join("taken"));
        let file = file
            .inspect_err(|error| tracing::debug!(%error, "the store's count of what it took"))
            .ok()?;
        let mut bytes = [0; 8];
        let before = file
            .read_exact_at(&mut bytes, 0)
            .is_ok()
            .then(|| u64::from_le_bytes(bytes));
        self.file = Some(file);
        self.note(0);
        before
    }

    /// Writes down that `accepted` events were taken in this run. A death of the process does not undo it.
    pub fn note(&mut self, accepted: u64) {
        // Nothing rests on this number but the figure in the report of a gap.
        if let Some(Err(error)) = self
            .file
            .as_ref()
            .map(|file| file.write_all_at(&accepted.to_le_bytes(), 0))
        {
            tracing::debug!(%error, "the store's count of what it took");
        }
    }
}
