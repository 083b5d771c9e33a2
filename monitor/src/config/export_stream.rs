//! The destinations of `[[export]]` that do not speak HTTP: files, the journal, syslog, NATS.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::export_http::{Kept, Mistakes, tls};
use crate::config::quantity::Bytes;
use crate::export::settings::{
    DestinationSettings, FileSettings, JournaldSettings, NatsAuthorization, NatsSettings, SyslogSettings,
    SyslogTransport,
};

/// `[export.file]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileTable {
    path: PathBuf,
    max_size: Bytes,
    keep: u32,
}

impl Default for FileTable {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            max_size: Bytes(100 << 20),
            keep: 10,
        }
    }
}

impl FileTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> DestinationSettings {
        if !self.path.is_absolute() {
            mistakes.push((
                "file.path".to_owned(),
                "is missing, or not an absolute path".to_owned(),
            ));
        }
        if self.max_size < Bytes(64 << 10) {
            mistakes.push(("file.max-size".to_owned(), "is less than 64KiB".to_owned()));
        }
        if self.keep > 1_000 {
            mistakes.push(("file.keep".to_owned(), "is more than 1000".to_owned()));
        }
        DestinationSettings::File(FileSettings {
            path: self.path.clone(),
            bytes: self.max_size.0,
            keep: self.keep,
        })
    }
}

/// `[export.journald]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct JournaldTable {
    socket: PathBuf,
}

impl Default for JournaldTable {
    fn default() -> Self {
        Self {
            socket: "/run/systemd/journal/socket".into(),
        }
    }
}

impl JournaldTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> DestinationSettings {
        if !self.socket.is_absolute() {
            mistakes.push(("journald.socket".to_owned(), "is not an absolute path".to_owned()));
        }
        DestinationSettings::Journald(JournaldSettings {
            socket: self.socket.clone(),
        })
    }
}

/// `[export.syslog]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SyslogTable {
    address: String,
    transport: TransportWord,
    facility: u8,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// The word of a transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of `SyslogTransport`")]
pub enum TransportWord {
    #[default]
    Tls,
    Tcp,
    Udp,
    Unix,
}

impl Default for SyslogTable {
    fn default() -> Self {
        Self {
            address: String::new(),
            transport: TransportWord::Tls,
            // local0
            facility: 16,
            ca: None,
            certificate: None,
            key: None,
        }
    }
}

impl SyslogTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> DestinationSettings {
        let mut wrong = |key: &str, what: &str| mistakes.push((format!("syslog.{key}"), what.to_owned()));
        let port = self
            .address
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse::<u16>().ok());
        let transport = match self.transport {
            TransportWord::Tls => SyslogTransport::Tls,
            TransportWord::Tcp => SyslogTransport::Tcp,
            TransportWord::Udp => SyslogTransport::Udp,
            TransportWord::Unix => SyslogTransport::Unix,
        };
        match transport {
            SyslogTransport::Unix if !self.address.starts_with('/') => {
                wrong("address", "is not the absolute path of a socket, as \"/dev/log\"");
            }
            SyslogTransport::Unix => {}
            _ if port.is_none() => wrong("address", "has no port: write \"siem.example.org:6514\""),
            _ => {}
        }
        if self.facility > 23 {
            wrong("facility", "is not between 0 and 23 (16 is local0)");
        }
        let tls = tls("syslog", [&self.ca, &self.certificate, &self.key], mistakes);
        if transport != SyslogTransport::Tls && tls != crate::export::settings::TlsSettings::default() {
            mistakes.push((
                "syslog.transport".to_owned(),
                "is not \"tls\", so there are no certificates".to_owned(),
            ));
        }
        DestinationSettings::Syslog(SyslogSettings {
            transport,
            address: self.address.clone(),
            facility: self.facility,
            tls,
        })
    }
}

/// `[export.nats]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NatsTable {
    servers: Vec<String>,
    subject: Option<String>,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    credentials_file: Option<PathBuf>,
    credentials_credential: Option<String>,
    token_file: Option<PathBuf>,
    token_credential: Option<String>,
    basic_file: Option<PathBuf>,
    basic_credential: Option<String>,
}

impl NatsTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> DestinationSettings {
        let schemes = ["nats://", "tls://"];
        let tls_settings = tls("nats", [&self.ca, &self.certificate, &self.key], mistakes);
        let known = |server: &String| schemes.iter().any(|scheme| server.starts_with(scheme));
        if self.servers.is_empty() || !self.servers.iter().all(known) {
            let what = "is empty, or has an entry that is not nats://HOST:PORT or tls://HOST:PORT";
            mistakes.push(("nats.servers".to_owned(), what.to_owned()));
        }
        let subject = self
            .subject
            .clone()
            .unwrap_or_else(|| "scopeward.events.{host}.{agent}.{kind}".to_owned());
        if subject.is_empty() || subject.contains(|c: char| c.is_whitespace() || matches!(c, '*' | '>')) {
            mistakes.push((
                "nats.subject".to_owned(),
                "is empty, or has blanks or wildcards".to_owned(),
            ));
        }
        let mut found = Vec::new();
        let kept = |name, file, credential| Kept {
            name,
            file,
            credential,
        };
        let all = [
            kept(
                "credentials",
                &self.credentials_file,
                &self.credentials_credential,
            ),
            kept("token", &self.token_file, &self.token_credential),
            kept("basic", &self.basic_file, &self.basic_credential),
        ];
        for one in &all {
            found.extend(one.secret("nats", mistakes).map(|secret| match one.name {
                "credentials" => NatsAuthorization::Credentials(secret),
                "token" => NatsAuthorization::Token(secret),
                _ => NatsAuthorization::User(secret),
            }));
        }
        if found.len() > 1 {
            mistakes.push((
                "nats".to_owned(),
                "has several secrets: write one of them".to_owned(),
            ));
        }
        let wanted =
            tls_settings.ca.is_some() || self.servers.iter().any(|server| server.starts_with("tls://"));
        DestinationSettings::Nats(NatsSettings {
            servers: self.servers.clone(),
            subject,
            tls_wanted: wanted,
            tls: tls_settings,
            authorization: found.pop(),
        })
    }
}
