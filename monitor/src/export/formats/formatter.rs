//! Picks the form.

use crate::export::chain::{Link, attest};
use crate::export::formats::{cef, ecs, native, ocsf};
use crate::export::settings::Format;
use crate::record::event::EventRecord;

/// Writes records in one form.
#[derive(Clone, Debug)]
pub struct Formatter {
    /// The form.
    pub format: Format,
    /// The name of the chain of fingerprints, where records are chained (OCSF only).
    pub chain: Option<String>,
}

impl Formatter {
    /// `event` in this form, one line without its end; and its link in the chain, the one after `before`.
    #[must_use]
    pub fn write(&self, event: &EventRecord, before: Option<&Link>) -> (Vec<u8>, Option<Link>) {
        match self.format {
            Format::Native => (native::write(event), None),
            Format::Ocsf => {
                let mut record = ocsf::record(event, self.chain.is_some());
                let link = self
                    .chain
                    .as_deref()
                    .map(|chain| attest(&mut record, chain, before));
                (record.to_string().into_bytes(), link)
            }
            Format::Ecs => (ecs::record(event).to_string().into_bytes(), None),
            Format::Cef => (cef::write(event), None),
        }
    }
}
