//! The destinations of `[[export]]` that speak HTTP: they have the same keys for where and who, and a few of their own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::export::settings::{
    Authorization, BulkSettings, DestinationSettings, HecSettings, HttpSettings, LokiSettings, OtlpSettings,
    Secret, TlsSettings, WebhookSettings,
};

/// Mistakes: the key with its table's name, and what is wrong with its value.
pub(super) type Mistakes = Vec<(String, String)>;

/// Where a secret is kept: a file, or a credential of the unit.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    /// The name of its keys, as `token`.
    pub(super) name: &'static str,
    /// `NAME-file`.
    pub(super) file: &'a Option<PathBuf>,
    /// `NAME-credential`.
    pub(super) credential: &'a Option<String>,
}

impl Kept<'_> {
    /// The secret, where there is one.
    pub(super) fn secret(&self, table: &str, mistakes: &mut Mistakes) -> Option<Secret> {
        let name = self.name;
        match (self.file, self.credential) {
            (None, None) => None,
            (Some(file), None) if file.is_absolute() => Some(Secret::File(file.clone())),
            (Some(_), None) => {
                mistakes.push((
                    format!("{table}.{name}-file"),
                    "is not an absolute path".to_owned(),
                ));
                None
            }
            (None, Some(credential)) if !credential.is_empty() && !credential.contains('/') => {
                Some(Secret::Credential(credential.clone()))
            }
            (None, Some(_)) => {
                mistakes.push((
                    format!("{table}.{name}-credential"),
                    "is no name of a credential".to_owned(),
                ));
                None
            }
            (Some(_), Some(_)) => {
                let what = format!("and {name}-credential are both there: write one of them");
                mistakes.push((format!("{table}.{name}-file"), what));
                None
            }
        }
    }
}

/// TLS, from its three keys.
pub(super) fn tls(
    table: &str,
    [ca, certificate, key]: [&Option<PathBuf>; 3],
    mistakes: &mut Mistakes,
) -> TlsSettings {
    for (name, path) in [("ca", ca), ("certificate", certificate), ("key", key)] {
        if path.as_ref().is_some_and(|path| !path.is_absolute()) {
            mistakes.push((format!("{table}.{name}"), "is not an absolute path".to_owned()));
        }
    }
    if certificate.is_some() != key.is_some() {
        let there = if key.is_some() { "key" } else { "certificate" };
        mistakes.push((
            format!("{table}.{there}"),
            "stands alone: certificate and key go together".to_owned(),
        ));
    }
    TlsSettings {
        ca: ca.clone(),
        certificate: certificate.clone(),
        key: key.clone(),
    }
}

macro_rules! http_table {
    ($(#[$about:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            url: String,
            ca: Option<PathBuf>,
            certificate: Option<PathBuf>,
            key: Option<PathBuf>,
            headers: BTreeMap<String, String>,
            token_file: Option<PathBuf>,
            token_credential: Option<String>,
            basic_file: Option<PathBuf>,
            basic_credential: Option<String>,
            $($field: $kind),*
        }

        impl $name {
            fn http(&self, table: &str, token: Authorization, mistakes: &mut Mistakes) -> HttpSettings {
                let kept = [
                    (token, Kept { name: "token", file: &self.token_file, credential: &self.token_credential }),
                    (
                        Authorization::Basic,
                        Kept { name: "basic", file: &self.basic_file, credential: &self.basic_credential },
                    ),
                ];
                let mut secrets: Vec<_> = kept
                    .into_iter()
                    .filter_map(|(scheme, kept)| Some((scheme, kept.secret(table, mistakes)?)))
                    .collect();
                if secrets.len() > 1 {
                    mistakes.push((format!("{table}.basic-file"), "and a token are both there: write one of them".to_owned()));
                }
                let authorization = secrets.pop();
                check_url(table, &self.url, authorization.is_some(), mistakes);
                HttpSettings {
                    url: self.url.trim_end_matches('/').to_owned(),
                    tls: tls(table, [&self.ca, &self.certificate, &self.key], mistakes),
                    headers: self.headers.clone(),
                    authorization,
                }
            }
        }
    };
}

fn check_url(table: &str, url: &str, secret: bool, mistakes: &mut Mistakes) {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = rest
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .unwrap_or_default();
    if host.is_empty() {
        mistakes.push((
            format!("{table}.url"),
            "is no URL: write \"https://siem.example.org/…\"".to_owned(),
        ));
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let here = ["localhost", "[::1]"].contains(&name) || name.starts_with("127.");
    if secret && url.starts_with("http://") && !here {
        mistakes.push((
            format!("{table}.url"),
            "would send the secret in the clear: write https://".to_owned(),
        ));
    }
}

http_table! {
    /// `[export.webhook]`.
    WebhookTable { body: WebhookBody }
}
http_table! {
    /// `[export.splunk-hec]`.
    HecTable { index: Option<String>, sourcetype: Option<String>, acknowledge: Option<bool> }
}
http_table! {
    /// `[export.elasticsearch]`: also OpenSearch.
    BulkTable { index: String, api_key_file: Option<PathBuf>, api_key_credential: Option<String> }
}
http_table! {
    /// `[export.loki]`.
    LokiTable { tenant: Option<String>, structured_metadata: Option<bool> }
}
http_table! {
    /// `[export.otlp]`.
    OtlpTable { protocol: OtlpProtocol }
}

/// How a webhook gets many events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookBody {
    /// One JSON object a line.
    #[default]
    Lines,
    /// One JSON array.
    Array,
}

/// How OTLP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtlpProtocol {
    /// Protobuf in HTTP/1.1.
    #[default]
    Http,
    /// gRPC.
    Grpc,
}

impl WebhookTable {
    pub(super) fn settings(&self, lines_only: bool, mistakes: &mut Mistakes) -> DestinationSettings {
        let array = self.body == WebhookBody::Array;
        if array && lines_only {
            mistakes.push((
                "webhook.body".to_owned(),
                "\"array\" is for formats of JSON".to_owned(),
            ));
        }
        DestinationSettings::Webhook(WebhookSettings {
            http: self.http("webhook", Authorization::Bearer, mistakes),
            array,
        })
    }
}

impl HecTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> DestinationSettings {
        let http = self.http("splunk-hec", Authorization::Splunk, mistakes);
        if http.authorization.is_none() {
            let what =
                "is missing: the collector's token is kept in a file, or in a credential (token-credential)";
            mistakes.push(("splunk-hec.token-file".to_owned(), what.to_owned()));
        }
        DestinationSettings::SplunkHec(HecSettings {
            http,
            index: self.index.clone(),
            sourcetype: self
                .sourcetype
                .clone()
                .unwrap_or_else(|| "scopeward:event".to_owned()),
            acknowledge: self.acknowledge.unwrap_or(true),
        })
    }
}

impl BulkTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> DestinationSettings {
        let mut http = self.http("elasticsearch", Authorization::Bearer, mistakes);
        let key = Kept {
            name: "api-key",
            file: &self.api_key_file,
            credential: &self.api_key_credential,
        };
        if let Some(secret) = key.secret("elasticsearch", mistakes) {
            check_url("elasticsearch", &self.url, true, mistakes);
            http.authorization = Some((Authorization::ApiKey, secret));
        }
        if self.index.is_empty() || self.index.contains(char::is_uppercase) {
            let what = "is missing, or has capitals: write \"logs-scopeward-default\"";
            mistakes.push(("elasticsearch.index".to_owned(), what.to_owned()));
        }
        DestinationSettings::Elasticsearch(BulkSettings {
            http,
            index: self.index.clone(),
        })
    }
}

impl LokiTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> DestinationSettings {
        let mut http = self.http("loki", Authorization::Bearer, mistakes);
        if let Some(tenant) = &self.tenant {
            http.headers.insert("x-scope-orgid".to_owned(), tenant.clone());
        }
        DestinationSettings::Loki(LokiSettings {
            http,
            metadata: self.structured_metadata.unwrap_or(true),
        })
    }
}

impl OtlpTable {
    pub(super) fn settings(&self, mistakes: &mut Mistakes) -> DestinationSettings {
        DestinationSettings::Otlp(OtlpSettings {
            http: self.http("otlp", Authorization::Bearer, mistakes),
            grpc: self.protocol == OtlpProtocol::Grpc,
        })
    }
}
