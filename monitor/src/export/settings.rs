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
}

impl DestinationSettings {
    /// What kind it is, as `daemon.toml` names it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
        }
    }

    /// Where exactly, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::File(file) => file.path.display().to_string(),
        }
    }
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
}
