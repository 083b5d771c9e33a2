//! Picks the destination.

use crate::export::destinations::bulk::BulkDestination;
use crate::export::destinations::file::FileDestination;
use crate::export::destinations::hec::HecDestination;
use crate::export::destinations::journald::JournaldDestination;
#[cfg(feature = "kafka")]
use crate::export::destinations::kafka::KafkaDestination;
use crate::export::destinations::loki::LokiDestination;
use crate::export::destinations::nats::NatsDestination;
use crate::export::destinations::otlp::OtlpDestination;
use crate::export::destinations::syslog::SyslogDestination;
use crate::export::destinations::webhook::WebhookDestination;
use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::{DestinationSettings, ExportSettings};

/// An open destination. One whose delivery was cut off must be dropped: what was half sent is half sent.
pub enum Destination {
    /// A file of lines.
    File(FileDestination),
    /// `journald`.
    Journald(JournaldDestination),
    /// `syslog`.
    Syslog(SyslogDestination),
    /// `webhook`.
    Webhook(WebhookDestination),
    /// `hec`.
    SplunkHec(HecDestination),
    /// `bulk`.
    Elasticsearch(BulkDestination),
    /// `loki`.
    Loki(LokiDestination),
    /// `otlp`.
    Otlp(OtlpDestination),
    /// `nats`.
    Nats(NatsDestination),
    /// `kafka`.
    #[cfg(feature = "kafka")]
    Kafka(KafkaDestination),
}

impl Destination {
    /// Opens the destination of `settings`: reads secrets and certificates, connects where it stays connected.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn open(settings: &ExportSettings) -> Result<Self, Trouble> {
        Ok(match &settings.destination {
            DestinationSettings::File(file) => Self::File(FileDestination::open(file)?),
            DestinationSettings::Journald(journald) => Self::Journald(JournaldDestination::open(journald)?),
            DestinationSettings::Syslog(syslog) => Self::Syslog(SyslogDestination::open(syslog)?),
            DestinationSettings::Webhook(webhook) => Self::Webhook(WebhookDestination::open(webhook)?),
            DestinationSettings::SplunkHec(hec) => Self::SplunkHec(HecDestination::open(hec)?),
            DestinationSettings::Elasticsearch(bulk) => Self::Elasticsearch(BulkDestination::open(bulk)?),
            DestinationSettings::Loki(loki) => Self::Loki(LokiDestination::open(loki)?),
            DestinationSettings::Otlp(otlp) => Self::Otlp(OtlpDestination::open(otlp)?),
            DestinationSettings::Nats(nats) => Self::Nats(NatsDestination::open(nats).await?),
            #[cfg(feature = "kafka")]
            DestinationSettings::Kafka(kafka) => Self::Kafka(KafkaDestination::open(kafka).await?),
        })
    }

    /// Delivers `items`, in order.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        match self {
            Self::File(file) => tokio::task::block_in_place(|| file.deliver(items)),
            Self::Journald(journald) => journald.deliver(items).await,
            Self::Syslog(syslog) => syslog.deliver(items).await,
            Self::Webhook(webhook) => webhook.deliver(items).await,
            Self::SplunkHec(hec) => hec.deliver(items).await,
            Self::Elasticsearch(bulk) => bulk.deliver(items).await,
            Self::Loki(loki) => loki.deliver(items).await,
            Self::Otlp(otlp) => otlp.deliver(items).await,
            Self::Nats(nats) => nats.deliver(items).await,
            #[cfg(feature = "kafka")]
            Self::Kafka(kafka) => kafka.deliver(items).await,
        }
    }
}
