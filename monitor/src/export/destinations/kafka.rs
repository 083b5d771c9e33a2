//! Kafka, with the cargo feature `kafka`. All events of a session go to one partition, and so stay in order; the key is the
//! session, the header `id` the event. What is sent twice is there twice, with the same `id`.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use rskafka::BackoffConfig;
use rskafka::chrono::DateTime;
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{Compression, PartitionClient, UnknownTopicHandling};
use rskafka::client::{ClientBuilder, Credentials, SaslConfig};
use rskafka::record::Record;

use crate::export::item::Item;
use crate::export::outcome::{Fate, Outcome, Trouble};
use crate::export::settings::KafkaSettings;
use crate::export::tls;

/// How long the client itself tries again: longer pauses are the exporter's own.
const PATIENCE: Duration = Duration::from_secs(10);

/// The partitions of a topic.
pub struct KafkaDestination {
    topic: String,
    partitions: Vec<PartitionClient>,
}

impl KafkaDestination {
    /// Connects to the brokers of `settings`, and to the leader of each partition of the topic.
    ///
    /// # Errors
    /// [`Trouble`]: no broker answers, or there is no such topic.
    pub async fn open(settings: &KafkaSettings) -> Result<Self, Trouble> {
        let mut builder = ClientBuilder::new(settings.brokers.clone())
            .client_id("scopeward")
            .backoff_config(BackoffConfig {
                deadline: Some(PATIENCE),
                ..BackoffConfig::default()
            });
        if settings.tls_wanted {
            builder = builder.tls_config(Arc::new(tls::client(&settings.tls)?));
        }
        if let Some(secret) = &settings.user {
            let both = secret.read()?;
            let (user, password) = both
                .split_once(':')
                .ok_or_else(|| Trouble::new("the secret of basic-file is not user:password"))?;
            let credentials = Credentials::new(user.to_owned(), password.to_owned());
            builder = builder.sasl_config(SaslConfig::Plain(credentials));
        }
        let brokers = settings.brokers.join(", ");
        let fail = |error: Error| Trouble::new(format!("cannot use Kafka at {brokers}: {error}"));
        let client = builder.build().await.map_err(fail)?;
        let topic = settings.topic.clone();
        let topics = client.list_topics().await.map_err(fail)?;
        let found = topics.into_iter().find(|one| one.name == topic).ok_or_else(|| {
            Trouble::new(format!(
                "Kafka at {brokers} has no topic {topic}: create it there"
            ))
        })?;
        let mut partitions = Vec::with_capacity(found.partitions.len());
        for partition in found.partitions {
            let one = client.partition_client(topic.clone(), partition, UnknownTopicHandling::Error);
            partitions.push(one.await.map_err(fail)?);
        }
        Ok(Self { topic, partitions })
    }

    /// Delivers `items`: one request for each partition, which all replicas in sync have to have.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, item) in items.iter().enumerate() {
            places.entry(self.partition_of(item)).or_default().push(place);
        }
        let mut outcome = Outcome::all(items.len());
        for (partition, places) in places {
            let records = places
                .iter()
                .filter_map(|&place| items.get(place).map(|item| record(item)));
            let Some(client) = self.partitions.get(partition) else {
                continue;
            };
            if let Err(error) = client
                .produce(records.collect(), Compression::NoCompression)
                .await
            {
                for place in places {
                    outcome.fates[place] = Fate::Again;
                }
                outcome.trouble = Some(self.trouble(&error));
            }
        }
        outcome
    }

    fn partition_of(&self, item: &Item) -> usize {
        let mut hasher = DefaultHasher::new();
        item.event.session.id.hash(&mut hasher);
        let count = u64::try_from(self.partitions.len().max(1)).unwrap_or(1);
        usize::try_from(hasher.finish() % count).unwrap_or(0)
    }

    fn trouble(&self, error: &Error) -> Trouble {
        let why = format!("topic {} did not take the events: {error}", self.topic);
        match error {
            Error::ServerError {
                protocol_error:
                    ProtocolError::MessageTooLarge
                    | ProtocolError::RecordListTooLarge
                    | ProtocolError::InvalidRecord,
                ..
            } => Trouble::content(why),
            _ => Trouble::new(why),
        }
    }
}

fn record(item: &Item) -> Record {
    let event = &item.event;
    Record {
        key: Some(event.session.id.clone().into_bytes()),
        value: Some(item.body.clone()),
        headers: BTreeMap::from([("id".to_owned(), event.id.clone().into_bytes())]),
        timestamp: DateTime::from_timestamp_millis(event.time.as_millisecond()).unwrap_or_default(),
    }
}
