//! `[[export]]`: where events go besides the store. One table for each exporter, with one table in it for its destination.

use std::time::Duration;

use serde::Deserialize;

use crate::config::export_http::{BulkTable, HecTable, LokiTable, Mistakes, OtlpTable, WebhookTable};
use crate::config::export_kafka::KafkaTable;
use crate::config::export_stream::{FileTable, JournaldTable, NatsTable, SyslogTable};
use crate::config::quantity::{Bytes, Span};
use crate::export::filter::ExportFilter;
use crate::export::settings::{DestinationSettings, ExportSettings, Format, From};
use crate::scope::name_glob::NameGlob;
use crate::scope::words::{Kind, Response};

/// One exporter, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExportTable {
    /// Its name.
    pub name: String,
    /// `ocsf`, `ecs`, `cef` or `native`.
    pub format: FormatWord,
    /// Kinds of acts; empty for all.
    pub kind: Vec<Kind>,
    /// Verdicts; empty for all.
    pub verdict: Vec<Response>,
    /// Agents, with at most one `*` each; empty for all.
    pub agent: Vec<String>,
    /// The least weight.
    pub min_weight: u32,
    /// Whether what looks like a secret is taken out.
    pub redact: bool,
    /// Whether OCSF records are chained by fingerprints.
    pub integrity: bool,
    /// Bytes of the store that are kept for it.
    pub spool: Bytes,
    /// Where a new exporter begins.
    pub from: FromWord,
    /// Most events of one delivery.
    pub batch: usize,
    /// How long one delivery may take.
    pub timeout: Span,
    /// A file of lines.
    pub file: Option<FileTable>,
    /// The journal of systemd.
    pub journald: Option<JournaldTable>,
    /// Syslog.
    pub syslog: Option<SyslogTable>,
    /// A webhook.
    pub webhook: Option<WebhookTable>,
    /// Splunk's event collector.
    pub splunk_hec: Option<HecTable>,
    /// Elasticsearch or OpenSearch.
    pub elasticsearch: Option<BulkTable>,
    /// Grafana Loki.
    pub loki: Option<LokiTable>,
    /// An OpenTelemetry collector.
    pub otlp: Option<OtlpTable>,
    /// NATS JetStream.
    pub nats: Option<NatsTable>,
    /// Kafka.
    pub kafka: Option<KafkaTable>,
}

/// The word of a form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of `Format`")]
pub enum FormatWord {
    #[default]
    Ocsf,
    Ecs,
    Cef,
    Native,
}

/// The word of a beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of `From`")]
pub enum FromWord {
    #[default]
    Now,
    Oldest,
}

impl Default for ExportTable {
    fn default() -> Self {
        Self {
            name: String::new(),
            format: FormatWord::Ocsf,
            kind: Vec::new(),
            verdict: Vec::new(),
            agent: Vec::new(),
            min_weight: 0,
            redact: true,
            integrity: false,
            spool: Bytes(4 << 30),
            from: FromWord::Now,
            batch: 1_000,
            timeout: Span(Duration::from_secs(30)),
            file: None,
            journald: None,
            syslog: None,
            webhook: None,
            splunk_hec: None,
            elasticsearch: None,
            loki: None,
            otlp: None,
            nats: None,
            kafka: None,
        }
    }
}

impl ExportTable {
    /// As the exporter takes it.
    ///
    /// # Errors
    /// What cannot be meant: the key (with its table's name, where it stands in one), and what is wrong with its value.
    pub(super) fn settings(&self) -> Result<ExportSettings, Mistakes> {
        let mut mistakes = Mistakes::new();
        let mut wrong = |key: &str, what: &str| mistakes.push((key.to_owned(), what.to_owned()));
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(named) {
            wrong(
                "name",
                "is missing, or has other characters than letters, digits, - and _",
            );
        }
        if !(1..=10_000).contains(&self.batch) {
            wrong("batch", "is not between 1 and 10000");
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(600)).contains(&self.timeout.0) {
            wrong("timeout", "is not between 1s and 10min");
        }
        if self.integrity && self.format != FormatWord::Ocsf {
            wrong("integrity", "is for format = \"ocsf\" only");
        }
        let agents: Vec<NameGlob> = self
            .agent
            .iter()
            .filter_map(|agent| NameGlob::parse(agent))
            .collect();
        if agents.len() != self.agent.len() {
            wrong("agent", "has a name with more than one *");
        }
        let destination = self.destination(&mut mistakes);
        let settings = destination.map(|destination| ExportSettings {
            name: self.name.clone(),
            destination,
            format: match self.format {
                FormatWord::Ocsf => Format::Ocsf,
                FormatWord::Ecs => Format::Ecs,
                FormatWord::Cef => Format::Cef,
                FormatWord::Native => Format::Native,
            },
            filter: ExportFilter {
                kinds: self.kind.clone(),
                verdicts: self.verdict.clone(),
                agents,
                least_weight: self.min_weight,
            },
            redact: self.redact,
            integrity: self.integrity,
            spool: self.spool.0,
            from: match self.from {
                FromWord::Now => From::Now,
                FromWord::Oldest => From::Oldest,
            },
            batch: self.batch,
            timeout: self.timeout.0,
        });
        match settings {
            Some(settings) if mistakes.is_empty() => Ok(settings),
            _ => Err(mistakes),
        }
    }

    fn destination(&self, mistakes: &mut Mistakes) -> Option<DestinationSettings> {
        let mut wanted = Vec::new();
        let lines_only = self.format == FormatWord::Cef;
        wanted.extend(self.file.as_ref().map(|table| table.settings(mistakes)));
        wanted.extend(self.journald.as_ref().map(|table| table.settings(mistakes)));
        wanted.extend(self.syslog.as_ref().map(|table| table.settings(mistakes)));
        wanted.extend(
            self.webhook
                .as_ref()
                .map(|table| table.settings(lines_only, mistakes)),
        );
        wanted.extend(self.splunk_hec.as_ref().map(|table| table.settings(mistakes)));
        wanted.extend(self.elasticsearch.as_ref().map(|table| table.settings(mistakes)));
        wanted.extend(self.loki.as_ref().map(|table| table.settings(mistakes)));
        wanted.extend(self.otlp.as_ref().map(|table| table.settings(mistakes)));
        wanted.extend(self.nats.as_ref().map(|table| table.settings(mistakes)));
        if let Some(table) = &self.kafka {
            wanted.push(table.settings(mistakes)?);
        }
        if wanted.len() != 1 {
            let what = format!(
                "has {} destinations: give it one table, as [export.file]",
                wanted.len()
            );
            mistakes.push((String::new(), what));
        }
        wanted.pop()
    }
}
