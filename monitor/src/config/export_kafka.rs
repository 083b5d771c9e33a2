//! `[export.kafka]`: with the cargo feature `kafka`, or with an answer that says what is missing.

use serde::Deserialize;

use crate::config::export_http::Mistakes;
use crate::export::settings::DestinationSettings;

/// `[export.kafka]`, in a build that has no Kafka: whatever is in it.
#[cfg(not(feature = "kafka"))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct KafkaTable {}

#[cfg(not(feature = "kafka"))]
impl KafkaTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> Option<DestinationSettings> {
        let what =
            "is not in this build: build with `--features kafka`, or ship the events through NATS or OTLP";
        mistakes.push(("kafka".to_owned(), what.to_owned()));
        None
    }
}

/// `[export.kafka]`.
#[cfg(feature = "kafka")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct KafkaTable {
    brokers: Vec<String>,
    topic: String,
    tls: bool,
    ca: Option<std::path::PathBuf>,
    certificate: Option<std::path::PathBuf>,
    key: Option<std::path::PathBuf>,
    basic_file: Option<std::path::PathBuf>,
    basic_credential: Option<String>,
}

#[cfg(feature = "kafka")]
impl KafkaTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> Option<DestinationSettings> {
        use crate::config::export_http::{Kept, tls};
        use crate::export::settings::KafkaSettings;

        let is_address = |broker: &String| {
            broker
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        if self.brokers.is_empty() || !self.brokers.iter().all(is_address) {
            let what = "is empty, or has an entry that is not HOST:PORT";
            mistakes.push(("kafka.brokers".to_owned(), what.to_owned()));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if self.topic.is_empty() || self.topic.len() > 249 || !self.topic.chars().all(fits) {
            let what = "is missing, or has other characters than letters, digits, ., _ and -";
            mistakes.push(("kafka.topic".to_owned(), what.to_owned()));
        }
        let tls = tls("kafka", [&self.ca, &self.certificate, &self.key], mistakes);
        let kept = Kept {
            name: "basic",
            file: &self.basic_file,
            credential: &self.basic_credential,
        };
        Some(DestinationSettings::Kafka(KafkaSettings {
            brokers: self.brokers.clone(),
            topic: self.topic.clone(),
            tls_wanted: self.tls || tls.ca.is_some(),
            tls,
            user: kept.secret("kafka", mistakes),
        }))
    }
}
