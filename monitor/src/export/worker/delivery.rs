//! One batch to the destination: what it takes, what is sent again, what it will never take.

use jiff::Timestamp;

use crate::export::destinations::Destination;
use crate::export::item::Item;
use crate::export::outcome::{Fate, Outcome, Trouble};
use crate::export::status::ExporterState;
use crate::export::worker::{Worker, ended, ended_for_long};

/// How often the destination may refuse the same lone event, while it took others before, until that is final.
const FINAL_REFUSALS: u32 = 5;

/// How long a destination may take to be opened.
const OPENING: std::time::Duration = std::time::Duration::from_secs(30);

impl Worker {
    /// Delivers `items`, in order, until each is taken or refused for good; false where it was stopped.
    pub(super) async fn deliver(&mut self, items: &[Item]) -> bool {
        let mut pending: Vec<&Item> = items.iter().collect();
        // Refused alone; whether it is theirs or the destination's fault shows once it takes another one.
        let mut suspects: Vec<(&Item, String)> = Vec::new();
        let mut took = false;
        while !pending.is_empty() {
            if *self.stop.borrow() {
                return false;
            }
            let part = &pending[..self.chunk.clamp(1, pending.len())];
            let Some(outcome) = self.attempt(part).await else {
                return false;
            };
            let trouble = outcome.trouble.clone();
            let alone = part.len() == 1;
            let mut kept = Vec::new();
            let mut taken = 0;
            for (item, fate) in part.iter().zip(&outcome.fates) {
                match fate {
                    Fate::Accepted => taken += 1,
                    Fate::Again if alone && trouble.as_ref().is_some_and(|trouble| trouble.content) => {
                        suspects.push((item, trouble.clone().unwrap_or_default().why));
                    }
                    Fate::Again => kept.push(*item),
                    Fate::Refused(why) => suspects.push((item, why.clone())),
                }
            }
            kept.extend_from_slice(&pending[part.len()..]);
            let bytes = part.iter().map(|item| item.body.len() as u64).sum();
            pending = kept;
            if taken > 0 {
                took = true;
                self.delivered(taken - outcome.unnamed.min(taken), bytes);
                self.thrown_away(&outcome);
            }
            if pending.is_empty() && !suspects.is_empty() && !took && !self.are_to_blame() {
                // It takes nothing at all: that is not these events' fault.
                let why = suspects[0].1.clone();
                pending = items
                    .iter()
                    .filter(|item| {
                        suspects
                            .iter()
                            .any(|(suspect, _)| suspect.event.id == item.event.id)
                    })
                    .collect();
                suspects.clear();
                self.failed(&Trouble::new(why), ExporterState::Waiting);
                if self.pause(None).await.is_none() {
                    return false;
                }
                continue;
            }
            if took || pending.is_empty() {
                self.refused(&mut suspects);
            }
            match trouble {
                None => {
                    self.chunk = (self.chunk * 2).min(self.settings.batch);
                    self.backoff.reset();
                }
                Some(trouble) if trouble.content => {
                    self.chunk = (self.chunk / 2).max(1);
                    self.with_status(|status| status.retries += 1);
                }
                Some(trouble) => {
                    if taken > 0 {
                        self.backoff.reset();
                    }
                    self.reach(items, pending.first().copied());
                    self.failed(&trouble, ExporterState::Waiting);
                    if self.pause(trouble.wait).await.is_none() {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// One delivery; `None` where it was stopped. One that takes too long, or is cut off, leaves the connection.
    pub(super) async fn attempt(&mut self, part: &[&Item]) -> Option<Outcome> {
        if self.destination.is_none() {
            let opened = tokio::select! {
                opened = tokio::time::timeout(OPENING, Destination::open(&self.settings)) => {
                    opened.unwrap_or_else(|_| Err(Trouble::new("the destination could not be opened in time")))
                }
                () = ended(&mut self.stop) => return None,
            };
            match opened {
                Ok(opened) => self.destination = Some(opened),
                Err(trouble) => {
                    return Some(Outcome::none(part.len(), trouble));
                }
            }
        }
        let mut destination = self.destination.take()?;
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(self.settings.timeout, destination.deliver(part)) => outcome,
            () = ended_for_long(&mut self.stop) => return None,
        };
        let Ok(outcome) = outcome else {
            let why = format!("no answer within {} s", self.settings.timeout.as_secs());
            return Some(Outcome::none(part.len(), Trouble::new(why)));
        };
        // After trouble a new connection, and secrets read anew.
        if outcome.trouble.as_ref().is_none_or(|trouble| trouble.content) {
            self.destination = Some(destination);
        }
        Some(outcome)
    }

    /// Whether the events that were refused are to blame for it, and not the destination.
    const fn are_to_blame(&self) -> bool {
        self.took_some && self.backoff.failures() >= FINAL_REFUSALS
    }

    fn refused(&mut self, suspects: &mut Vec<(&Item, String)>) {
        for (item, why) in suspects.drain(..) {
            tracing::error!(
                exporter = self.settings.name,
                event = item.event.id,
                why,
                "refused for good"
            );
            self.cursor.totals.refused += 1;
            self.say(format!("event {} was refused for good: {why}", item.event.id));
        }
    }

    fn thrown_away(&mut self, outcome: &Outcome) {
        let (count, why) = (outcome.unnamed, &outcome.unnamed_why);
        if count > 0 {
            tracing::error!(exporter = self.settings.name, count, why, "refused for good");
            self.cursor.totals.refused += count;
            self.say(format!(
                "{count} events were refused for good, which ones it does not say: {why}"
            ));
        }
    }

    fn delivered(&mut self, count: u64, bytes: u64) {
        self.took_some = true;
        self.cursor.totals.delivered += count;
        self.with_status(|status| {
            status.bytes += bytes;
            status.last_delivery = Some(Timestamp::now());
            status.failing = false;
            status.state = ExporterState::Delivering;
        });
    }

    /// Everything before `first` of `items` is done: after a crash it is not sent again.
    fn reach(&mut self, items: &[Item], first: Option<&Item>) {
        let done = first.and_then(|first| items.iter().position(|item| item.event.id == first.event.id));
        if let Some(last) = done.and_then(|done| done.checked_sub(1)).map(|last| &items[last]) {
            (self.cursor.position, self.cursor.link) = (last.after.clone(), last.link.clone());
            self.remember();
        }
    }
}
