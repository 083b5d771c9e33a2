//! What an exporter is told: where to, in which form, which events.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::export::filter::ExportFilter;

/// One exporter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSettings {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// Where events go.
    pub destination: DestinationSettings,
    /// In which form.
    pub format: Format,
    /// Which events.
    pub filter: ExportFilter,
    /// Whether what looks like a secret is taken out of arguments and paths.
    pub redact: bool,
    /// Whether OCSF records carry a fingerprint that chains them.
    pub integrity: bool,
    /// Bytes of the store that are kept for this exporter past the store's own retention.
    pub spool: u64,
    /// Where a new exporter begins.
    pub from: From,
    /// Most events of one delivery.
    pub batch: usize,
    /// How long one delivery may take.
    pub timeout: Duration,
}

/// The form of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Open Cybersecurity Schema Framework.
    #[default]
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
    /// ArcSight Common Event Format.
    Cef,
    /// The event record itself.
    Native,
}

impl Format {
    /// Its word in `daemon.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ocsf => "ocsf",
            Self::Ecs => "ecs",
            Self::Cef => "cef",
            Self::Native => "native",
        }
    }

    /// Whether a record is one JSON object.
    #[must_use]
    pub const fn is_json(self) -> bool {
        !matches!(self, Self::Cef)
    }
}

/// Where a new exporter begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// With what is recorded from its first start on.
    #[default]
    Now,
    /// With the oldest event of the store.
    Oldest,
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationSettings {
    /// A file of lines.
    File(FileSettings),
    /// The journal of systemd.
    Journald(JournaldSettings),
    /// Syslog.
    Syslog(SyslogSettings),
    /// A webhook.
    Webhook(WebhookSettings),
    /// Splunk's event collector.
    SplunkHec(HecSettings),
    /// The bulk API of Elasticsearch and OpenSearch.
    Elasticsearch(BulkSettings),
    /// Grafana Loki.
    Loki(LokiSettings),
    /// An OpenTelemetry collector.
    Otlp(OtlpSettings),
    /// NATS JetStream.
    Nats(NatsSettings),
    /// Kafka.
    #[cfg(feature = "kafka")]
    Kafka(KafkaSettings),
}

impl DestinationSettings {
    /// What kind it is, as `daemon.toml` names it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Journald(_) => "journald",
            Self::Syslog(_) => "syslog",
            Self::Webhook(_) => "webhook",
            Self::SplunkHec(_) => "splunk-hec",
            Self::Elasticsearch(_) => "elasticsearch",
            Self::Loki(_) => "loki",
            Self::Otlp(_) => "otlp",
            Self::Nats(_) => "nats",
            #[cfg(feature = "kafka")]
            Self::Kafka(_) => "kafka",
        }
    }

    /// Where exactly, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::File(file) => file.path.display().to_string(),
            Self::Journald(journald) => journald.socket.display().to_string(),
            Self::Syslog(syslog) => format!("{} ({})", syslog.address, syslog.transport.word()),
            Self::Webhook(webhook) => webhook.http.url.clone(),
            Self::SplunkHec(hec) => hec.http.url.clone(),
            Self::Elasticsearch(bulk) => format!("{} ({})", bulk.http.url, bulk.index),
            Self::Loki(loki) => loki.http.url.clone(),
            Self::Otlp(otlp) => otlp.http.url.clone(),
            Self::Nats(nats) => format!("{} ({})", nats.servers.join(", "), nats.subject),
            #[cfg(feature = "kafka")]
            Self::Kafka(kafka) => format!("{} ({})", kafka.brokers.join(", "), kafka.topic),
        }
    }
}

/// The journal of systemd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournaldSettings {
    /// Its socket.
    pub socket: PathBuf,
}

/// A syslog receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogSettings {
    /// How messages get there.
    pub transport: SyslogTransport,
    /// `HOST:PORT`, or the path of a unix socket.
    pub address: String,
    /// The facility, 0 to 23.
    pub facility: u8,
    /// TLS.
    pub tls: TlsSettings,
}

/// How syslog messages get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyslogTransport {
    /// TLS, octets counted.
    Tls,
    /// TCP, octets counted.
    Tcp,
    /// UDP: nobody knows whether they arrive.
    Udp,
    /// Datagrams to a unix socket.
    Unix,
}

impl SyslogTransport {
    /// Its word in `daemon.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Unix => "unix",
        }
    }
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where.
    pub http: HttpSettings,
    /// Whether a delivery is one array, and not lines.
    pub array: bool,
}

/// Splunk's event collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HecSettings {
    /// Where: the URL without `/services/…`.
    pub http: HttpSettings,
    /// The index; the token's own where there is none.
    pub index: Option<String>,
    /// The source type.
    pub sourcetype: String,
    /// Whether the indexer's acknowledgement is waited for.
    pub acknowledge: bool,
}

/// The bulk API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkSettings {
    /// Where: the URL without `/_bulk`.
    pub http: HttpSettings,
    /// The index or data stream.
    pub index: String,
}

/// Grafana Loki.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LokiSettings {
    /// Where: the URL without `/loki/…`.
    pub http: HttpSettings,
    /// Whether ids are sent as structured metadata (Loki 3, or 2.9 with it turned on).
    pub metadata: bool,
}

/// An OpenTelemetry collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpSettings {
    /// Where: for HTTP with `/v1/logs`, for gRPC without a path.
    pub http: HttpSettings,
    /// Whether it speaks gRPC.
    pub grpc: bool,
}

/// NATS JetStream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsSettings {
    /// The servers, as `nats://HOST:PORT`.
    pub servers: Vec<String>,
    /// The subject; `{agent}`, `{kind}`, `{host}` and `{session}` are filled in.
    pub subject: String,
    /// Whether nothing but TLS will do.
    pub tls_wanted: bool,
    /// TLS.
    pub tls: TlsSettings,
    /// Who we are.
    pub authorization: Option<NatsAuthorization>,
}

/// Kafka.
#[cfg(feature = "kafka")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSettings {
    /// The first brokers to ask, as `HOST:PORT`.
    pub brokers: Vec<String>,
    /// The topic; it has to be there.
    pub topic: String,
    /// Whether TLS is spoken.
    pub tls_wanted: bool,
    /// TLS.
    pub tls: TlsSettings,
    /// `user:password` for SASL PLAIN.
    pub user: Option<Secret>,
}

/// Who we are to NATS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NatsAuthorization {
    /// A file of credentials, as `nsc` writes it.
    Credentials(Secret),
    /// A token.
    Token(Secret),
    /// `user:password`.
    User(Secret),
}

/// How a secret is shown to an HTTP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Splunk …`
    Splunk,
    /// `Authorization: ApiKey …`
    ApiKey,
    /// `Authorization: Basic …`; the secret is `user:password`.
    Basic,
}

/// A file of lines, rotated by size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// The file.
    pub path: PathBuf,
    /// Past so many bytes a new one begins.
    pub bytes: u64,
    /// So many old ones are kept, as `PATH.1` (the newest), `PATH.2`, …
    pub keep: u32,
}

/// A secret that is kept elsewhere: never in `daemon.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The content of a file, without its final newline.
    File(PathBuf),
    /// A credential of the systemd unit, by name.
    Credential(String),
}

/// How TLS is spoken. Certificates are always checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// Authorities that are trusted in place of the host's own.
    pub ca: Option<PathBuf>,
    /// The client's certificate.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

/// Where and how HTTP requests go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpSettings {
    /// The whole URL.
    pub url: String,
    /// TLS.
    pub tls: TlsSettings,
    /// Headers to add.
    pub headers: BTreeMap<String, String>,
    /// Who we are.
    pub authorization: Option<(Authorization, Secret)>,
}
