//! The store's one writer thread, and the handle that everybody else has on it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::record::event::EventRecord;
use crate::record::health::{Gap, StoreState};
use crate::record::holds::Holds;
use crate::record::progress::{LastRun, Progress};
use crate::record::queue::{Batch, Queue};
use crate::record::retention;
use crate::record::segment::{self, Segment, SegmentError};
use crate::record::signer::Signer;
use crate::record::store::StoreConfig;

/// How long a transaction waits for more events after its first one: what a kill -9 can cost.
const LINGER: Duration = Duration::from_millis(100);
/// How often the thread looks at rotation and retention where nothing happens.
const IDLE: Duration = Duration::from_secs(30);
/// The pauses between attempts while the disk refuses: doubling from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// Attempts at the end, before what waits is given up.
const LAST_ATTEMPTS: u32 = 3;

/// Hands events to the store. Cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: Arc<Queue>,
}

impl Writer {
    /// A handle that adds to `queue`.
    #[must_use]
    pub const fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// Records an event. Never waits: where the backlog is full, the event is counted as lost and dropped.
    pub fn append(&self, event: impl Into<Arc<EventRecord>>) {
        self.queue.push(event.into());
    }

    /// Asks for `mark` to be noted with the next transaction. Never waits.
    pub fn mark(&self, mark: u64) {
        self.queue.mark(mark);
    }

    /// Waits until what was appended before is on disk, at most `bound`. True where it is; false at once where the
    /// disk refuses.
    #[must_use]
    pub fn flush(&self, bound: Duration) -> bool {
        self.queue.flush(bound)
    }
}

/// What the thread says about itself.
#[derive(Clone, Debug, Default)]
pub struct WriterStatus {
    /// Whether events reach the disk.
    pub state: StoreState,
    /// Stops without a shutdown, in this directory's life.
    pub unclean_stops: u64,
    /// The one before this start.
    pub gap: Option<Gap>,
}

/// The running thread.
#[derive(Debug)]
pub struct WriterThread {
    queue: Arc<Queue>,
    status: Arc<Mutex<WriterStatus>>,
    handle: Option<JoinHandle<()>>,
}

impl WriterThread {
    /// Starts the thread for `queue`; returns once it has tried to open a segment. Retention leaves what `holds` holds;
    /// `written` is told how many events the store took in its life.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(
        dir: &Path,
        config: &StoreConfig,
        queue: Arc<Queue>,
        holds: Holds,
        written: watch::Sender<u64>,
    ) -> std::io::Result<Self> {
        let status = Arc::new(Mutex::new(WriterStatus::default()));
        let mut work = Work {
            dir: dir.to_owned(),
            config: config.clone(),
            queue: Arc::clone(&queue),
            holds,
            written,
            status: Arc::clone(&status),
            progress: Progress::default(),
            begun: false,
            segment: None,
            signer: None,
            pause: PAUSES.0,
        };
        work.settle();
        let handle = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work.run())?;
        Ok(Self {
            queue,
            status,
            handle: Some(handle),
        })
    }

    /// What it says about itself, now.
    #[must_use]
    pub fn status(&self) -> WriterStatus {
        lock(&self.status).clone()
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(Err(_)) = self.handle.take().map(JoinHandle::join) {
            tracing::error!("the store's writer thread panicked");
        }
    }
}

fn lock(status: &Mutex<WriterStatus>) -> MutexGuard<'_, WriterStatus> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Work {
    dir: PathBuf,
    config: StoreConfig,
    queue: Arc<Queue>,
    holds: Holds,
    written: watch::Sender<u64>,
    status: Arc<Mutex<WriterStatus>>,
    progress: Progress,
    begun: bool,
    segment: Option<Segment>,
    signer: Option<Arc<Signer>>,
    pause: Duration,
}

impl Work {
    fn run(mut self) {
        let mut looked = Instant::now();
        let mut last_attempts = LAST_ATTEMPTS;
        loop {
            let progress = &mut self.progress;
            // Without a segment, the state is to be mended even while nothing happens.
            let idle = if self.segment.is_some() { IDLE } else { PAUSES.0 };
            let batch = self.queue.take(LINGER, idle, |accepted| progress.note(accepted));
            let stored = self.store(&batch);
            self.queue.done(stored);
            if let Some(mark) = batch.mark {
                self.queue.settle_mark(mark);
            }
            match (stored, batch.closing) {
                (true, true) if batch.last => break,
                (true, _) => {
                    if looked.elapsed() >= IDLE || self.wants_rotation() {
                        self.rotate();
                        looked = Instant::now();
                    }
                }
                (false, true) if last_attempts == 1 => break,
                (false, closing) => {
                    last_attempts -= u32::from(closing);
                    if looked.elapsed() >= IDLE {
                        // Room may be made by what is past its retention.
                        self.retain();
                        looked = Instant::now();
                    }
                    self.queue.pause(self.pause);
                    self.pause = (self.pause * 2).min(PAUSES.1);
                }
            }
        }
        self.shut_down();
    }

    /// Writes a batch; an empty one only where the state is to be mended.
    fn store(&mut self, batch: &Batch) -> bool {
        if batch.events.is_empty() && batch.mark.is_none() && self.segment.is_some() {
            return true;
        }
        let committed = self.queue.figures().committed + u64::try_from(batch.events.len()).unwrap_or(0);
        let result = self.segment().and_then(|(segment, unclean_stops)| {
            let mut meta = run_meta(committed, unclean_stops).to_vec();
            meta.extend(batch.mark.map(|mark| ("mark", mark.cast_signed())));
            segment.write(&batch.events, &meta)
        });
        self.report(result)
    }

    /// Opens a segment before the first event, so that a directory that cannot be written is known at once.
    fn settle(&mut self) {
        let result = self.segment().map(|_| ());
        if self.report(result) {
            self.retain();
        }
    }

    fn report(&mut self, result: Result<(), SegmentError>) -> bool {
        let mut status = lock(&self.status);
        match result {
            Ok(()) => {
                if status.state != StoreState::Ok {
                    tracing::info!("the store can write again");
                }
                status.state = StoreState::Ok;
                self.pause = PAUSES.0;
                if let Some(segment) = &self.segment {
                    self.written.send_replace(segment.total());
                }
                true
            }
            Err(error) => {
                let reason = error.to_string();
                if status.state == StoreState::Ok {
                    tracing::warn!(reason, "events wait in memory");
                }
                status.state = StoreState::Failing(reason);
                // Its dictionary may know rows that were rolled back.
                self.segment = None;
                false
            }
        }
    }

    /// The segment to write to, opened or created where there is none, and the count of unclean stops.
    fn segment(&mut self) -> Result<(&mut Segment, u64), SegmentError> {
        if self.segment.is_none() {
            make_dir(&self.dir)?;
            self.begin_run();
            let fail = |source| SegmentError::File {
                action: "read",
                path: self.dir.clone(),
                source,
            };
            let number = segment::list(&self.dir)
                .map_err(fail)?
                .last()
                .map_or(1, |last| last.number);
            let signer = self.signer()?;
            let opened = match Segment::open(&self.dir, number, &signer) {
                // A damaged segment, or another version's, is left for reading as far as that goes.
                Err(error) if is_unusable(&error) => Segment::open(&self.dir, number + 1, &signer)?,
                opened => opened?,
            };
            // From here on, a death without a shutdown shows.
            let meta = run_meta(self.queue.figures().committed, lock(&self.status).unclean_stops);
            self.segment.insert(opened).write(&[], &meta)?;
        }
        let unclean_stops = lock(&self.status).unclean_stops;
        // Never taken: it is there by now.
        let missing = || SegmentError::Gone {
            path: self.dir.clone(),
        };
        self.segment
            .as_mut()
            .map(|segment| (segment, unclean_stops))
            .ok_or_else(missing)
    }

    /// The key that signs the chain's heads, opened or made where it is not yet.
    fn signer(&mut self) -> Result<Arc<Signer>, SegmentError> {
        if let Some(signer) = &self.signer {
            return Ok(Arc::clone(signer));
        }
        let opened = Signer::open(&self.dir).map_err(|source| SegmentError::File {
            action: "use the chain's key in",
            path: self.dir.clone(),
            source,
        })?;
        Ok(Arc::clone(self.signer.insert(Arc::new(opened))))
    }

    /// Once a run: finds out how the last one ended.
    fn begin_run(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let taken = self.progress.open(&self.dir);
        let Some(run) = LastRun::read(&self.dir) else {
            return;
        };
        let mut status = lock(&self.status);
        status.unclean_stops = run.unclean_stops + u64::from(!run.clean);
        if !run.clean {
            let lost = taken.unwrap_or(0).saturating_sub(run.committed);
            tracing::warn!(lost, "the store was stopped without a shutdown");
            status.gap = Some(Gap {
                after: run.last,
                opened: jiff::Timestamp::now(),
                lost,
            });
        }
    }

    fn wants_rotation(&self) -> bool {
        let limit = self.config.segment_bytes.min(self.config.retention_bytes / 4);
        self.segment
            .as_ref()
            .is_some_and(|segment| segment.bytes() > limit)
    }

    /// Begins a new segment where the present one is large or old, and lets retention look.
    fn rotate(&mut self) {
        let old = self
            .segment
            .as_ref()
            .is_some_and(|segment| segment.age() > self.config.segment_age);
        if (old || self.wants_rotation())
            && let Some(segment) = self.segment.take()
        {
            let (next, unclean_stops) = (segment.number + 1, lock(&self.status).unclean_stops);
            let committed = self.queue.figures().committed;
            let begun = self
                .signer()
                .and_then(|signer| Segment::open(&self.dir, next, &signer));
            let begun = begun.and_then(|mut begun| {
                begun.write(&[], &run_meta(committed, unclean_stops))?;
                self.segment = Some(begun);
                segment.seal()
            });
            self.report_rotation(begun);
        }
        self.retain();
    }

    fn report_rotation(&mut self, begun: Result<(), SegmentError>) {
        if let Err(error) = begun {
            // Without a new segment, the next batch opens whichever is the last.
            tracing::warn!(%error, "rotation of the store");
        }
    }

    fn retain(&self) {
        let number = self.segment.as_ref().map(|segment| segment.number);
        // What is removed without a note would look like somebody else's doing.
        let Some(signer) = &self.signer else { return };
        let now = std::time::SystemTime::now();
        match retention::apply(&self.dir, &self.config, &self.holds, number, now, signer) {
            Ok(0) => {}
            Ok(unlinked) => tracing::info!(unlinked, "segments past their retention"),
            Err(error) => tracing::warn!(%error, "retention of the store"),
        }
    }

    fn shut_down(mut self) {
        let given_up = self.queue.figures().waiting;
        if given_up > 0 {
            tracing::error!(given_up, "events that the disk refused to the end are lost");
        }
        let Some(mut segment) = self.segment.take() else {
            return;
        };
        let result = segment.write(&[], &[("clean", 1)]).and_then(|()| segment.seal());
        if let Err(error) = result {
            tracing::warn!(%error, "shutdown of the store");
        }
    }
}

fn run_meta(committed: u64, unclean_stops: u64) -> [(&'static str, i64); 3] {
    [
        ("clean", 0),
        ("committed", committed.cast_signed()),
        ("unclean_stops", unclean_stops.cast_signed()),
    ]
}

fn make_dir(dir: &Path) -> Result<(), SegmentError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| SegmentError::File {
        action: "create",
        path: dir.to_owned(),
        source,
    })
}

fn is_unusable(error: &SegmentError) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error {
        SegmentError::Version { .. } => true,
        SegmentError::Write {
            source: crate::record::dictionary::EncodeError::Sqlite(source),
            ..
        } => {
            matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
        }
        _ => false,
    }
}
