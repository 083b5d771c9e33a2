//! Events as they happen. A reader that falls behind is caught up from the store, and what is in neither is counted.

use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;

use crate::api::control::Control;
use crate::api::failure::Failure;
use crate::api::lines::{LineSender, ReaderGone};
use crate::api::types::{MISSED_SCHEMA, MissedLine};
use crate::record::event::EventRecord;
use crate::record::filter::{Filter, Order};

/// How many ids are remembered, so that nothing is sent twice: the pipeline's channel must hold fewer.
const REMEMBERED: usize = 16_384;

/// How far apart in time events of different hooks may arrive in the wrong order.
const UNORDERED: SignedDuration = SignedDuration::from_secs(2);

/// What a follower still is to be told, and how.
#[derive(Debug)]
pub struct Follower {
    filter: Filter,
    lines: LineSender,
    recent: Recent,
    /// The time of the latest event that was seen.
    last: Timestamp,
}

impl Follower {
    /// A follower of what `filter` asks for; its limit and order are not looked at.
    #[must_use]
    pub fn new(filter: Filter, lines: LineSender) -> Self {
        Self {
            filter,
            lines,
            recent: Recent::default(),
            last: Timestamp::now(),
        }
    }

    /// Sends what is stored since the filter's `since`, where it has one, and then what happens, until the reader
    /// goes away or `shutdown` changes. `live` must have been subscribed before.
    pub async fn run(
        mut self,
        control: Arc<dyn Control>,
        mut live: Receiver<Arc<EventRecord>>,
        mut shutdown: watch::Receiver<bool>,
    ) {
        if let Some(since) = self.filter.since {
            match self.catch_up(&control, since).await {
                Ok((caught_up, _)) => self = caught_up,
                Err(ReaderGone) => return,
            }
        }
        loop {
            let received = tokio::select! {
                received = live.recv() => received,
                () = self.lines.gone() => return,
                _ = shutdown.changed() => return,
            };
            let since = self.last;
            let mut missed = 0;
            match received {
                Ok(event) => self.see(&event),
                Err(RecvError::Lagged(count)) => missed += count,
                Err(RecvError::Closed) => return,
            }
            // What is there already goes out in the same frame; nothing waits for more.
            while !self.lines.full() {
                match live.try_recv() {
                    Ok(event) => self.see(&event),
                    Err(TryRecvError::Lagged(count)) => missed += count,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            if missed > 0 {
                match self.catch_up(&control, since).await {
                    Ok((caught_up, found)) => {
                        self = caught_up;
                        self.admit_missing(missed.saturating_sub(found));
                    }
                    Err(ReaderGone) => return,
                }
            }
            if self.lines.flush().await.is_err() {
                return;
            }
        }
    }

    fn see(&mut self, event: &EventRecord) {
        self.last = self.last.max(event.time);
        if self.recent.insert(&event.id) && self.filter.matches(event) {
            self.lines.push(event);
        }
    }

    fn admit_missing(&mut self, missed: u64) {
        if missed > 0 {
            self.lines.push(&MissedLine {
                schema: MISSED_SCHEMA.to_owned(),
                missed,
            });
        }
    }

    /// Sends what is stored from `since` on and was not seen. Returns how many events that were, wanted or not.
    async fn catch_up(self, control: &Arc<dyn Control>, since: Timestamp) -> Result<(Self, u64), ReaderGone> {
        let (control, runtime) = (Arc::clone(control), Handle::current());
        let caught_up = tokio::task::spawn_blocking(move || self.read_store(&*control, since, &runtime));
        caught_up.await.map_err(|_| ReaderGone)?
    }

    fn read_store(
        mut self,
        control: &dyn Control,
        since: Timestamp,
        runtime: &Handle,
    ) -> Result<(Self, u64), ReaderGone> {
        let since = since.checked_sub(UNORDERED).unwrap_or(since);
        let everything = Filter {
            since: Some(since),
            order: Order::Oldest,
            ..Filter::default()
        };
        let (mut found, mut gone) = (0, Ok(()));
        let read = control.events(&everything, &mut |event| {
            found += u64::from(!self.recent.knows(&event.id));
            self.see(&event);
            if self.lines.full() {
                gone = self.lines.flush_blocking(runtime);
            }
            if gone.is_ok() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        if let Err(error) = read {
            self.lines.push(&Failure::from(error).body);
        }
        gone.and_then(|()| self.lines.flush_blocking(runtime))?;
        Ok((self, found))
    }
}

/// The ids of the latest events, so that one is not sent from the store and from the pipeline.
#[derive(Debug, Default)]
struct Recent {
    known: HashSet<u128>,
    order: VecDeque<u128>,
}

impl Recent {
    fn knows(&self, id: &str) -> bool {
        self.known.contains(&number(id))
    }

    /// False where it was known.
    fn insert(&mut self, id: &str) -> bool {
        let id = number(id);
        if !self.known.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

/// A ULID as its number; any other id as a number that is as good as its own.
fn number(id: &str) -> u128 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    ulid::Ulid::from_string(id).map_or_else(
        |_| {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            u128::from(hasher.finish())
        },
        |ulid| ulid.0,
    )
}
