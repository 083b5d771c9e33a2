//! The loop of one exporter: read, deliver, remember how far.

mod delivery;
mod telling;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};

use crate::export::backoff::{Backoff, chance};
use crate::export::cursor::{Cursor, CursorFile};
use crate::export::destinations::Destination;
use crate::export::outcome::{Fate, Trouble};
use crate::export::reader::{Batch, Reader};
use crate::export::settings::{ExportSettings, From};
use crate::export::status::{ExporterState, ExporterStatus};
use crate::record::event::EventRecord;
use crate::record::holds::Hold;
use crate::record::tail::{Position, Tail};

/// How often figures are brought up to date where nothing happens.
const IDLE: Duration = Duration::from_secs(5);

/// What a worker is asked to do between deliveries.
#[derive(Debug)]
pub enum Ask {
    /// Deliver this event now, whatever waits.
    Deliver(Box<EventRecord>, oneshot::Sender<Result<(), String>>),
}

/// One exporter at work.
pub struct Worker {
    settings: ExportSettings,
    reader: Arc<Reader>,
    tail: Tail,
    file: CursorFile,
    cursor: Cursor,
    destination: Option<Destination>,
    backoff: Backoff,
    /// Most events of a delivery, as the destination has taken them.
    chunk: usize,
    status: Arc<Mutex<ExporterStatus>>,
    asks: mpsc::Receiver<Ask>,
    stop: watch::Receiver<bool>,
    took_some: bool,
}

/// What a worker is given.
pub struct Start<'a> {
    /// What it is told.
    pub settings: ExportSettings,
    /// How it reads.
    pub reader: Reader,
    /// The directory of all cursors.
    pub cursors: &'a Path,
    /// Where it says how it is doing.
    pub status: Arc<Mutex<ExporterStatus>>,
    /// What it is asked.
    pub asks: mpsc::Receiver<Ask>,
    /// Turns true when it is to end.
    pub stop: watch::Receiver<bool>,
}

impl Worker {
    /// A worker that has not begun.
    #[must_use]
    pub fn new(start: Start<'_>) -> Self {
        Self {
            file: CursorFile::of(start.cursors, &start.settings.name),
            tail: start.reader.tail.clone(),
            reader: Arc::new(start.reader),
            cursor: Cursor::default(),
            destination: None,
            backoff: Backoff::default(),
            chunk: start.settings.batch,
            settings: start.settings,
            status: start.status,
            asks: start.asks,
            stop: start.stop,
            took_some: false,
        }
    }

    /// Works until it is stopped.
    pub async fn run(mut self) {
        while let Err(why) = self.begin() {
            self.failed(&Trouble::new(why), ExporterState::Misconfigured);
            if self.pause(None).await.is_none() {
                return;
            }
        }
        self.backoff.reset();
        loop {
            self.tail.written.mark_unchanged();
            let (reader, position, link) = (
                Arc::clone(&self.reader),
                self.cursor.position.clone(),
                self.cursor.link.clone(),
            );
            let read = tokio::task::spawn_blocking(move || reader.batch(&position, link)).await;
            match read {
                Ok(Ok(batch)) => {
                    let end = batch.end && batch.items.is_empty();
                    if !self.take(batch).await {
                        break;
                    }
                    if end && !self.wait().await {
                        break;
                    }
                }
                Ok(Err(error)) => {
                    self.failed(
                        &Trouble::new(format!("failed to {error}")),
                        ExporterState::Waiting,
                    );
                    if self.pause(None).await.is_none() {
                        break;
                    }
                }
                Err(error) => {
                    self.failed(
                        &Trouble::new(format!("the reading failed: {error}")),
                        ExporterState::Waiting,
                    );
                    if self.pause(None).await.is_none() {
                        break;
                    }
                }
            }
        }
        self.remember();
    }

    fn begin(&mut self) -> Result<(), String> {
        let known = self
            .file
            .read()
            .map_err(|error| format!("the cursor cannot be read: {error}"))?;
        self.cursor = match (known, self.settings.from) {
            (Some(cursor), _) => cursor,
            (None, From::Oldest) => Cursor::default(),
            (None, From::Now) => Cursor {
                position: self.tail.end().map_err(|error| format!("failed to {error}"))?,
                ..Cursor::default()
            },
        };
        self.file
            .write(&self.cursor)
            .map_err(|error| format!("the cursor cannot be written: {error}"))?;
        self.hold();
        Ok(())
    }

    /// Delivers a batch; false where it was stopped.
    async fn take(&mut self, batch: Batch) -> bool {
        let oldest = batch.items.first().map(|item| item.event.time);
        self.with_status(|status| {
            status.redacted += batch.redacted;
            status.state = if batch.items.is_empty() {
                ExporterState::Idle
            } else {
                ExporterState::Delivering
            };
        });
        if batch.gone > 0 {
            let why = format!(
                "{} events were removed by the store's retention before they were delivered (the spool is {} bytes)",
                batch.gone, self.settings.spool
            );
            tracing::error!(exporter = self.settings.name, why);
            self.say(why);
        }
        self.cursor.totals.given_up += batch.gone;
        self.cursor.totals.filtered += batch.filtered;
        self.figures(oldest);
        if !self.deliver(&batch.items).await {
            return false;
        }
        let moved = self.cursor.position != batch.position || batch.gone + batch.filtered > 0;
        (self.cursor.position, self.cursor.link) = (batch.position, batch.link);
        if moved {
            self.remember();
        }
        self.figures(None);
        true
    }

    fn remember(&mut self) {
        if let Err(error) = self.file.write(&self.cursor) {
            self.say(format!("the cursor cannot be written: {error}"));
        }
        self.hold();
    }

    fn hold(&self) {
        let segment = self.cursor.position.segment;
        let bytes = self.settings.spool;
        self.tail.holds.set(&self.settings.name, Hold { segment, bytes });
    }

    /// Waits until something was written, answering what is asked; false where it was stopped.
    async fn wait(&mut self) -> bool {
        self.with_status(|status| {
            status.state = ExporterState::Idle;
            status.failing = false;
        });
        self.figures(None);
        let mut written = self.tail.written.clone();
        loop {
            tokio::select! {
                changed = written.changed() => {
                    if changed.is_err() {
                        // The store is closed: nothing more will come.
                        ended(&mut self.stop).await;
                        return false;
                    }
                    return true;
                }
                ask = self.asks.recv() => self.answer(ask).await,
                () = ended(&mut self.stop) => return false,
                () = tokio::time::sleep(IDLE) => self.figures(None),
            }
        }
    }

    /// Leaves the destination alone for a while, answering what is asked; `None` where it was stopped.
    async fn pause(&mut self, asked: Option<Duration>) -> Option<()> {
        let until = Instant::now() + self.backoff.next(asked, chance());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(());
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(IDLE)) => self.figures(self.oldest()),
                ask = self.asks.recv() => self.answer(ask).await,
                () = ended(&mut self.stop) => return None,
            }
        }
    }

    async fn answer(&mut self, ask: Option<Ask>) {
        let Some(Ask::Deliver(event, reply)) = ask else {
            // Nobody can ask any more: the end follows.
            ended(&mut self.stop).await;
            return;
        };
        // It is no link of the chain.
        let mut reader = Reader::clone(&self.reader);
        reader.formatter.chain = None;
        let (item, _) = reader.item(*event, None, Position::default());
        let answer = match self.attempt(&[&item]).await {
            None => Err("the exporter ends".to_owned()),
            Some(outcome) => match (outcome.fates.first(), outcome.trouble) {
                (Some(Fate::Accepted), _) => Ok(()),
                (Some(Fate::Refused(why)), _) => Err(why.clone()),
                (_, Some(trouble)) => Err(trouble.why),
                _ => Err("the destination did not take it".to_owned()),
            },
        };
        // Who asked may have gone away.
        drop(reply.send(answer));
    }
}

async fn ended(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody can say so any more.
    drop(stop.wait_for(|stop| *stop).await);
}

/// As [`ended`], but leaves what is under way two seconds.
async fn ended_for_long(stop: &mut watch::Receiver<bool>) {
    ended(stop).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
}
