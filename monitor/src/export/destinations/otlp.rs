//! OpenTelemetry logs, over HTTP or gRPC. The protocol has no ids of its own that receivers know again: what is sent twice
//! is there twice, with the same `event.id`.

use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::export::http::Http;
use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::OtlpSettings;
use crate::record::event::EventRecord;
use crate::scope::words::{Kind, Response};

/// The path of the method that takes logs.
const METHOD: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
/// gRPC codes: what the content is to blame for, and what is over by itself.
const INVALID_ARGUMENT: &str = "3";
const OUT_OF_RANGE: &str = "11";

/// A collector.
#[derive(Debug)]
pub struct OtlpDestination {
    http: Http,
    grpc: bool,
}

impl OtlpDestination {
    /// The collector of `settings`.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn open(settings: &OtlpSettings) -> Result<Self, Trouble> {
        Ok(Self {
            http: Http::open(&settings.http, settings.grpc)?,
            grpc: settings.grpc,
        })
    }

    /// Delivers `items`.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        let count = items.len();
        let message = request(items).encode_to_vec();
        let answer = if self.grpc {
            self.call(message).await
        } else {
            self.post(message).await
        };
        match answer {
            Err(trouble) => Outcome::none(count, trouble),
            Ok(body) => {
                let partial = ExportLogsServiceResponse::decode(body.as_slice())
                    .ok()
                    .and_then(|response| response.partial_success);
                let rejected = partial.as_ref().map_or(0, |partial| partial.rejected_log_records);
                // Which ones is not said, and the protocol forbids to send them again.
                Outcome {
                    unnamed: u64::try_from(rejected).unwrap_or(0).min(count as u64),
                    unnamed_why: partial.map(|partial| partial.error_message).unwrap_or_default(),
                    ..Outcome::all(count)
                }
            }
        }
    }

    async fn post(&self, message: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        let headers = [("content-type", "application/x-protobuf")];
        let answer = self.http.post(&self.http.url, &headers, message).await?;
        match answer.trouble() {
            None => Ok(answer.body),
            Some(trouble) => Err(trouble),
        }
    }

    async fn call(&self, message: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        let url = format!("{}{METHOD}", self.http.url);
        let large = || Trouble::content("the delivery is too large for gRPC");
        let length = u32::try_from(message.len()).map_err(|_| large())?;
        // Not compressed, length, message.
        let framed = [&[0], length.to_be_bytes().as_slice(), &message].concat();
        let headers = [("content-type", "application/grpc"), ("te", "trailers")];
        let response = self.http.send(&url, &headers, framed).await?;
        let status = response.status();
        let (parts, body) = reqwest_parts(response);
        let body = body
            .collect()
            .await
            .map_err(|error| Trouble::new(format!("the answer of {url} broke off: {error}")))?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        let field = |name: &str| {
            let value = trailers.get(name).or_else(|| parts.get(name));
            value.and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        match field("grpc-status").as_deref() {
            Some("0") => Ok(body.to_bytes().get(5..).unwrap_or_default().to_vec()),
            Some(code) => {
                let said = field("grpc-message").unwrap_or_default();
                let why = format!("the answer was gRPC status {code}: {said}");
                // Larger than the receiver takes comes as RESOURCE_EXHAUSTED (8), as being busy does.
                let content = [INVALID_ARGUMENT, OUT_OF_RANGE].contains(&code)
                    || (code == "8" && said.contains("larger than max"));
                Err(Trouble {
                    content,
                    ..Trouble::new(why)
                })
            }
            None => Err(Trouble::new(format!(
                "the answer of {url} was {status} and no gRPC"
            ))),
        }
    }
}

fn reqwest_parts(response: reqwest::Response) -> (reqwest::header::HeaderMap, reqwest::Body) {
    let headers = response.headers().clone();
    (headers, reqwest::Body::from(response))
}

/// `items` as one request: they are of one machine, or grouped by it.
fn request(items: &[&Item]) -> ExportLogsServiceRequest {
    let mut groups: Vec<ResourceLogs> = Vec::new();
    let mut host: Option<&str> = None;
    for item in items {
        let name = item.event.host.name.as_str();
        if host != Some(name) || groups.is_empty() {
            groups.push(resource(&item.event));
            host = Some(name);
        }
        let scope = groups.last_mut().and_then(|group| group.scope_logs.last_mut());
        scope
            .into_iter()
            .for_each(|scope| scope.log_records.push(record(item)));
    }
    ExportLogsServiceRequest {
        resource_logs: groups,
    }
}

fn resource(event: &EventRecord) -> ResourceLogs {
    let host = &event.host;
    let mut attributes = vec![text("service.name", "scopeward"), text("host.name", &host.name)];
    attributes.extend(host.machine_id.as_deref().map(|id| text("host.id", id)));
    ResourceLogs {
        resource: Some(Resource {
            attributes,
            ..Resource::default()
        }),
        scope_logs: vec![ScopeLogs {
            scope: Some(InstrumentationScope {
                name: "scopeward".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                ..InstrumentationScope::default()
            }),
            ..ScopeLogs::default()
        }],
        ..ResourceLogs::default()
    }
}

fn record(item: &Item) -> LogRecord {
    let event = &item.event;
    let nanoseconds = |time: jiff::Timestamp| u64::try_from(time.as_nanosecond()).unwrap_or(0);
    let (number, word) = severity(event);
    let integer = |key: &str, value: u32| attribute(key, any_value::Value::IntValue(i64::from(value)));
    LogRecord {
        time_unix_nano: nanoseconds(event.time),
        observed_time_unix_nano: nanoseconds(event.time),
        severity_number: number,
        severity_text: word.to_owned(),
        event_name: format!("scopeward.{}", event.act.kind.word()),
        body: Some(AnyValue {
            value: Some(any_value::Value::StringValue(
                String::from_utf8_lossy(&item.body).into_owned(),
            )),
        }),
        attributes: vec![
            text("event.id", &event.id),
            text("scopeward.session", &event.session.id),
            text("scopeward.agent", &event.session.agent),
            text("scopeward.kind", event.act.kind.word()),
            text("scopeward.verdict", event.verdict.applied.word()),
            integer("scopeward.weight", event.weight),
            integer("process.pid", event.process.pid),
        ],
        ..LogRecord::default()
    }
}

/// Number and word, as OpenTelemetry has them.
const fn severity(event: &EventRecord) -> (i32, &'static str) {
    if matches!(event.act.kind, Kind::MonitorTamper) {
        return (21, "FATAL");
    }
    match event.verdict.called_for {
        Response::Allow => (9, "INFO"),
        Response::Flag => (13, "WARN"),
        Response::Deny => (14, "WARN2"),
        Response::Freeze => (17, "ERROR"),
        Response::Kill => (18, "ERROR2"),
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
