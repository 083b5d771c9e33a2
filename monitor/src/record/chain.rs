//! What makes a change of the stored record show: every row is part of a chain, and the chain's heads are signed.
//!
//! The link of a row is BLAKE3 over the link before it and the row's content as it is stored: the numbers of the row and the texts that
//! it refers to, not their row numbers. A row keeps the first eight bytes of its link, so that what was changed can be named;
//! each transaction signs the whole link of its last row.

use crate::record::event::EventRecord;
use crate::record::schema::nanoseconds;

/// A whole link.
pub type Link = [u8; 32];

/// Rows between two heads that stay: what is lost with the last head of a segment is bounded, and so is its size.
pub const HEAD_EVERY: u64 = 4_096;

/// Takes in the fields of one row, each with its length, so that no two rows have the same bytes.
#[derive(Debug, Default)]
pub struct Content(Vec<u8>);

impl Content {
    /// Empties it for the next row.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// A text; absent ones are not the same as empty ones.
    pub fn text(&mut self, text: Option<&str>) {
        match text {
            None => self.0.push(0),
            Some(text) => {
                self.0.push(1);
                self.0.extend((text.len() as u64).to_le_bytes());
                self.0.extend(text.as_bytes());
            }
        }
    }

    /// A number.
    pub fn number(&mut self, number: Option<i64>) {
        match number {
            None => self.0.push(2),
            Some(number) => {
                self.0.push(3);
                self.0.extend(number.to_le_bytes());
            }
        }
    }

    /// The link of a row with this content after `before`.
    #[must_use]
    pub fn link(&self, before: &Link) -> Link {
        let mut hasher = blake3::Hasher::new();
        hasher.update(before);
        hasher.update(&self.0);
        *hasher.finalize().as_bytes()
    }
}

/// The texts of a row that are not in the event as they are stored.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'t> {
    /// The session, as JSON.
    pub session: &'t str,
    /// The shape, as JSON.
    pub shape: &'t str,
    /// The remote end, as JSON.
    pub endpoint: Option<&'t str>,
    /// The arguments, as JSON.
    pub argv: &'t str,
    /// The lineage, as JSON.
    pub lineage: &'t str,
}

/// Takes in a row as it is about to be stored. The order of the fields is that of [`crate::record::verify`].
pub fn take_in(content: &mut Content, event: &EventRecord, texts: &Texts<'_>) {
    let (act, process) = (&event.act, &event.process);
    content.clear();
    content.text(Some(&event.id));
    content.number(Some(nanoseconds(event.time)));
    content.text(Some(texts.session));
    content.number(Some(process.pid.into()));
    content.number(Some(process.ppid.into()));
    content.number(process.started.map(nanoseconds));
    content.text(process.exe.as_deref());
    content.text(process.script.as_deref());
    content.text(Some(texts.argv));
    content.text(process.cwd.as_deref());
    content.number(Some(process.uid.into()));
    content.text(Some(texts.lineage));
    content.text(Some(texts.shape));
    content.text(act.path.as_deref());
    content.text(act.to.as_deref());
    content.text(texts.endpoint);
    content.number(act.inode.map(u64::cast_signed));
    content.number(act.status.map(i64::from));
    content.number((event.count != 1).then_some(event.count.cast_signed()));
    content.number((process.tid != process.pid).then_some(process.tid.into()));
}

/// The part of a link that its row keeps.
#[must_use]
pub fn tag(link: &Link) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *link;
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}
