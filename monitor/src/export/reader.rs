//! From the store to what is delivered next: read, filter, redact, write in the exporter's form. Blocks; memory is
//! bounded by the batch.

use std::ops::ControlFlow;

use crate::export::chain::Link;
use crate::export::filter::ExportFilter;
use crate::export::formats::Formatter;
use crate::export::item::Item;
use crate::export::redact;
use crate::record::event::EventRecord;
use crate::record::query::QueryError;
use crate::record::tail::{Position, Tail};

/// Most bytes of one batch, as written.
const MOST_BYTES: usize = 1 << 20;
/// Most events that are looked at for one batch: a filter that wants few must not keep the cursor back.
const MOST_LOOKED_AT: u64 = 20_000;

/// How an exporter reads.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The store.
    pub tail: Tail,
    /// Which events.
    pub filter: ExportFilter,
    /// Whether secrets are taken out.
    pub redact: bool,
    /// The form.
    pub formatter: Formatter,
    /// Most events of a batch.
    pub most: usize,
}

/// What is delivered next.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The events.
    pub items: Vec<Item>,
    /// How far the exporter is once all of them are delivered.
    pub position: Position,
    /// The last link of the chain.
    pub link: Option<Link>,
    /// Events that the filter did not want.
    pub filtered: u64,
    /// Events that were redacted.
    pub redacted: u64,
    /// Events that are gone.
    pub gone: u64,
    /// Nothing is left behind these for now.
    pub end: bool,
}

impl Reader {
    /// The events after `position`, the last of which has `link`.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn batch(&self, position: &Position, link: Option<Link>) -> Result<Batch, QueryError> {
        let mut batch = Batch {
            link,
            ..Batch::default()
        };
        let mut bytes = 0;
        let mut looked_at = 0;
        let reading = self.tail.read(position, &mut |event, after| {
            looked_at += 1;
            if self.filter.matches(&event) {
                let (item, redacted) = self.item(event, batch.link.as_ref(), after.clone());
                batch.redacted += u64::from(redacted);
                batch.link.clone_from(&item.link);
                bytes += item.body.len();
                batch.items.push(item);
            } else {
                batch.filtered += 1;
            }
            if batch.items.len() >= self.most || bytes >= MOST_BYTES || looked_at >= MOST_LOOKED_AT {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        batch.position = reading.position;
        batch.gone = reading.gone;
        batch.end = reading.end;
        Ok(batch)
    }

    /// `event` as it is delivered, and whether something was redacted.
    #[must_use]
    pub fn item(&self, mut event: EventRecord, before: Option<&Link>, after: Position) -> (Item, bool) {
        let redacted = self.redact && redact::redact(&mut event);
        let (body, link) = self.formatter.write(&event, before);
        let item = Item {
            event,
            body,
            after,
            link,
        };
        (item, redacted)
    }
}
