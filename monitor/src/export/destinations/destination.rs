//! Picks the destination.

use crate::export::destinations::file::FileDestination;
use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::{DestinationSettings, ExportSettings};

/// An open destination. One whose delivery was cut off must be dropped: what was half sent is half sent.
pub enum Destination {
    /// A file of lines.
    File(FileDestination),
}

impl Destination {
    /// Opens the destination of `settings`: reads secrets and certificates, connects where it stays connected.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn open(settings: &ExportSettings) -> Result<Self, Trouble> {
        Ok(match &settings.destination {
            DestinationSettings::File(file) => Self::File(FileDestination::open(file)?),
        })
    }

    /// Delivers `items`, in order.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        match self {
            Self::File(file) => tokio::task::block_in_place(|| file.deliver(items)),
        }
    }
}
