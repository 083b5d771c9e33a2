//! The store's face to the rest: open, write, ask, health.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::record::event::EventRecord;
use crate::record::filter::Filter;
use crate::record::health::StoreHealth;
use crate::record::holds::Holds;
use crate::record::query::{self, QueryError};
use crate::record::queue::Queue;
use crate::record::segment;
use crate::record::tail::Tail;
use crate::record::writer::{Writer, WriterThread};

/// How the store keeps its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Segments whose last event is older than this are unlinked.
    pub retention_age: Duration,
    /// The oldest segments are unlinked while all together are larger than this, in bytes.
    pub retention_bytes: u64,
    /// A segment that has grown past this many bytes (or a quarter of `retention_bytes`) is followed by a new one.
    pub segment_bytes: u64,
    /// A segment that is older than this is followed by a new one.
    pub segment_age: Duration,
    /// How many events may wait in memory; what comes on top is counted as lost.
    pub backlog: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            retention_age: Duration::from_secs(90 * 86_400),
            retention_bytes: 2 << 30,
            segment_bytes: 64 << 20,
            segment_age: Duration::from_secs(86_400),
            backlog: 8_192,
        }
    }
}

/// What keeps the store from being opened at all. An unwritable directory does not: that is a state it recovers from.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The writer thread could not be started.
    #[error("start the store's writer thread: {0}")]
    Thread(#[source] std::io::Error),
}

/// Events on disk, in `DIR/events-*.db`. Dropping it writes what waits, and marks the shutdown as a clean one.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    queue: Arc<Queue>,
    thread: WriterThread,
    tail: Tail,
}

impl Store {
    /// Opens the store in `dir`, which is created (mode 0700) where it is missing, and starts its writer. Where the
    /// directory cannot be written, the store starts as failing, and tries again by itself.
    ///
    /// # Errors
    /// [`StoreError`]: only what waiting cannot mend.
    pub fn open(dir: &Path, config: &StoreConfig) -> Result<Self, StoreError> {
        Self::open_held(dir, config, Holds::default())
    }

    /// As [`Store::open`]; retention leaves what `holds` says that somebody still has to read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_held(dir: &Path, config: &StoreConfig, holds: Holds) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(config.backlog));
        let (written, total) = tokio::sync::watch::channel(0);
        let thread = WriterThread::start(dir, config, Arc::clone(&queue), holds.clone(), written)
            .map_err(StoreError::Thread)?;
        Ok(Self {
            dir: dir.to_owned(),
            queue,
            thread,
            tail: Tail::new(dir, holds, total),
        })
    }

    /// For those who read everything, in the order in which it was written.
    #[must_use]
    pub fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// A handle that records events.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(Arc::clone(&self.queue))
    }

    /// Hands the events that `filter` asks for to `visit`, in its order, until `visit` breaks. What was recorded
    /// before the call is among them, unless the disk refuses it. Blocks for as long as the reading takes.
    ///
    /// # Errors
    /// [`QueryError`]; segments that can be read were visited all the same.
    pub fn visit(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(EventRecord) -> ControlFlow<()>,
    ) -> Result<(), QueryError> {
        self.queue.flush(Duration::from_millis(500));
        query::visit(&self.dir, filter, visit)
    }

    /// The events that `filter` asks for, all in memory: give it a limit.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn query(&self, filter: &Filter) -> Result<Vec<EventRecord>, QueryError> {
        let mut events = Vec::new();
        self.visit(filter, &mut |event| {
            events.push(event);
            ControlFlow::Continue(())
        })?;
        Ok(events)
    }

    /// The event whose id is `id`, or begins with it. `None` where there is none; the earliest where there are
    /// several, so ask with a [`Filter`] where that matters.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn get(&self, id: &str) -> Result<Option<EventRecord>, QueryError> {
        let filter = Filter {
            id: Some(id.to_owned()),
            limit: Some(1),
            ..Filter::default()
        };
        Ok(self.query(&filter)?.pop())
    }

    /// Waits until the writer has dealt with a mark ([`Writer::mark`]) that is not smaller than `mark`, at most
    /// `bound`: it was committed, or the disk refuses, which [`Store::health`] says. True where it has.
    #[must_use]
    pub fn wait_for_mark(&self, mark: u64, bound: Duration) -> bool {
        self.queue.wait_for_mark(mark, bound)
    }

    /// How the store is doing. Reads the directory: not for every event.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        let figures = self.queue.figures();
        let status = self.thread.status();
        let segments = segment::list(&self.dir).unwrap_or_default();
        StoreHealth {
            state: status.state,
            backlog: figures.waiting,
            written: figures.committed,
            lost: figures.lost,
            lost_cuts: figures.lost_cuts,
            segments: u64::try_from(segments.len()).unwrap_or(u64::MAX),
            bytes: segments.iter().map(|segment| segment.bytes).sum(),
            oldest: segments.iter().find_map(|segment| query::oldest(&segment.path)),
            unclean_stops: status.unclean_stops,
            gap: status.gap,
        }
    }
}
