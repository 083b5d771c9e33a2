//! The bounded backlog between those who record events and the thread that writes them. Adding never waits.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::record::event::EventRecord;
use crate::scope::words::Response;

/// Events that wait, and the figures about them.
#[derive(Debug)]
pub struct Queue {
    capacity: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<EventRecord>>,
    /// How many of `waiting` are being written; they leave when that is done.
    in_hand: usize,
    accepted: u64,
    committed: u64,
    lost: u64,
    lost_cuts: u64,
    /// How often a batch could not be stored.
    failures: u64,
    flush_wanted: bool,
    /// A mark that the writer is to note with its next transaction.
    mark_wanted: Option<u64>,
    /// The latest mark that the writer has dealt with.
    mark_settled: u64,
    closing: bool,
}

/// The figures of a [`Queue`], at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// Events that wait.
    pub waiting: u64,
    /// Events taken since the start.
    pub accepted: u64,
    /// Of these, those that are on disk.
    pub committed: u64,
    /// Events turned away because the queue was full.
    pub lost: u64,
    /// Of these, cuts.
    pub lost_cuts: u64,
}

/// What the writer thread gets from the queue.
#[derive(Debug)]
pub struct Batch {
    /// The oldest events, in order. They stay in the queue until [`Queue::done`].
    pub events: Vec<Arc<EventRecord>>,
    /// A mark to be noted with them.
    pub mark: Option<u64>,
    /// Nothing more will come.
    pub closing: bool,
    /// Nothing waits behind these.
    pub last: bool,
}

impl Queue {
    /// A queue for at most `capacity` events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held cannot leave the figures half changed: no code that runs under it panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event; where the queue is full, counts it as lost instead. Never waits for the disk.
    pub fn push(&self, event: Arc<EventRecord>) {
        let mut state = self.lock();
        if state.waiting.len() >= self.capacity || state.closing {
            state.lost += 1;
            state.lost_cuts += u64::from(event.verdict.called_for != Response::Allow);
            return;
        }
        state.waiting.push_back(event);
        state.accepted += 1;
        let waiting = state.waiting.len();
        drop(state);
        // The thread sleeps on an empty queue, or until its batch is full: between the two, waking it is wasted.
        if waiting == 1 || waiting.is_multiple_of(MAX_BATCH) {
            self.changed.notify_all();
        }
    }

    /// Waits for events; then, after telling `note` how many were accepted so far, up to `linger` for more, at most
    /// [`MAX_BATCH`]. Returns an empty batch after `idle` without events, so that rotation and retention get their turn.
    #[must_use]
    pub fn take(&self, linger: Duration, idle: Duration, note: impl FnOnce(u64)) -> Batch {
        let mut state = self.wait_until(self.lock(), idle, |state| {
            !state.waiting.is_empty() || state.closing || state.mark_wanted.is_some()
        });
        if !state.waiting.is_empty() {
            let accepted = state.accepted;
            drop(state);
            note(accepted);
            state = self.lock();
            state = self.wait_until(state, linger, |state| {
                state.waiting.len() >= MAX_BATCH || state.flush_wanted || state.closing
            });
        }
        state.in_hand = state.waiting.len().min(MAX_BATCH);
        state.flush_wanted &= state.waiting.len() > MAX_BATCH;
        let events: Vec<_> = state.waiting.iter().take(state.in_hand).cloned().collect();
        Batch {
            mark: state.mark_wanted.take(),
            closing: state.closing,
            last: state.waiting.len() == events.len(),
            events,
        }
    }

    /// Sleeps for `pause`, or until the queue is closed or somebody asks for a flush.
    pub fn pause(&self, pause: Duration) {
        drop(self.wait_until(self.lock(), pause, |state| state.closing || state.flush_wanted));
    }

    /// The batch in hand is on disk (`stored`), or could not be stored and waits on.
    pub fn done(&self, stored: bool) {
        let mut state = self.lock();
        let in_hand = std::mem::take(&mut state.in_hand);
        if stored {
            state.waiting.drain(..in_hand);
            state.committed += u64::try_from(in_hand).unwrap_or(u64::MAX);
        } else {
            state.failures += 1;
            state.flush_wanted = false;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Asks for what waits now to be written at once, and waits until it is, at most `bound`. True where it is;
    /// false at once where the disk refuses them.
    pub fn flush(&self, bound: Duration) -> bool {
        let mut state = self.lock();
        let (target, failures) = (state.accepted, state.failures);
        if state.committed >= target {
            return true;
        }
        state.flush_wanted = true;
        self.changed.notify_all();
        state = self.wait_until(state, bound, |state| {
            state.committed >= target || state.failures > failures
        });
        state.committed >= target
    }

    /// Asks the writer to note `mark` with its next transaction; it goes the way of the events, and waits for nobody.
    pub fn mark(&self, mark: u64) {
        self.lock().mark_wanted = Some(mark);
        self.changed.notify_all();
    }

    /// The writer has dealt with `mark`: it is on disk, or the disk refuses, which its status says.
    pub fn settle_mark(&self, mark: u64) {
        let mut state = self.lock();
        state.mark_settled = state.mark_settled.max(mark);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until the writer has dealt with a mark that is not smaller than `mark`, at most `bound`. True where it
    /// has.
    pub fn wait_for_mark(&self, mark: u64, bound: Duration) -> bool {
        self.wait_until(self.lock(), bound, |state| state.mark_settled >= mark)
            .mark_settled
            >= mark
    }

    /// Takes no more events, and lets the writer thread finish.
    pub fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// The figures, now.
    #[must_use]
    pub fn figures(&self) -> QueueFigures {
        let state = self.lock();
        QueueFigures {
            waiting: u64::try_from(state.waiting.len()).unwrap_or(u64::MAX),
            accepted: state.accepted,
            committed: state.committed,
            lost: state.lost,
            lost_cuts: state.lost_cuts,
        }
    }

    fn wait_until<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        bound: Duration,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let deadline = Instant::now() + bound;
        while !condition(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state
    }
}

/// Most events in one transaction.
pub const MAX_BATCH: usize = 2_000;
