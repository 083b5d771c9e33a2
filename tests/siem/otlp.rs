//! OTLP collectors, over HTTP and gRPC.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Full};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use scopeward::export::settings::{DestinationSettings, HttpSettings, OtlpSettings};

use crate::fake::{Fake, Ids};
use crate::feed::{Feed, check, settings};

/// The ids of a request, where each record is what it should be.
fn ids(message: &[u8]) -> Vec<String> {
    let request = ExportLogsServiceRequest::decode(message).expect("as the test made it");
    let records = request
        .resource_logs
        .iter()
        .flat_map(|group| &group.scope_logs)
        .flat_map(|scope| &scope.log_records);
    records
        .map(|record| {
            let id = record
                .attributes
                .iter()
                .find(|attribute| attribute.key == "event.id")
                .and_then(|attribute| attribute.value.clone()?.value);
            let Some(Value::StringValue(id)) = id else {
                panic!("no id: {record:?}")
            };
            let Some(Value::StringValue(body)) = record.body.clone().and_then(|body| body.value) else {
                panic!("no body: {record:?}")
            };
            let body: serde_json::Value = serde_json::from_str(&body).expect("as the test made it");
            assert_eq!(body["id"], id.as_str());
            id
        })
        .collect()
}

fn through(grpc: bool) {
    let arrived = Ids::default();
    let list = arrived.clone();
    let mut fake = Fake::start(move |request| {
        let answer = ExportLogsServiceResponse::default().encode_to_vec();
        if !grpc {
            assert_eq!(request.headers["content-type"], "application/x-protobuf");
            list.lock()
                .expect("as the test made it")
                .extend(ids(request.body));
            return ([("content-type", "application/x-protobuf")], answer).into_response();
        }
        assert_eq!(request.headers["content-type"], "application/grpc");
        assert_eq!(
            request.uri.path(),
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
        );
        let length = u32::from_be_bytes(request.body[1..5].try_into().expect("as the test made it"));
        assert_eq!(length as usize, request.body.len() - 5);
        let mut trailers = HeaderMap::new();
        // Now and then, a refusal in the way of gRPC.
        if request.chance % 15 == 8 {
            trailers.insert("grpc-status", "14".parse().expect("as the test made it"));
            trailers.insert(
                "grpc-message",
                "unavailable".parse().expect("as the test made it"),
            );
        } else {
            trailers.insert("grpc-status", "0".parse().expect("as the test made it"));
            list.lock()
                .expect("as the test made it")
                .extend(ids(&request.body[5..]));
        }
        let framed = [&[0_u8, 0, 0, 0, 0][..], &answer].concat();
        let body = Full::from(framed).with_trailers(std::future::ready(Some(Ok(trailers))));
        Response::builder()
            .header("content-type", "application/grpc")
            .body(Body::new(body))
            .expect("as the test made it")
    });
    let url = if grpc {
        fake.url.clone()
    } else {
        format!("{}/v1/logs", fake.url)
    };
    let status = Feed::start(&settings(DestinationSettings::Otlp(OtlpSettings {
        http: HttpSettings {
            url,
            ..HttpSettings::default()
        },
        grpc,
    })))
    .finish(|| fake.trouble());
    assert!(status.retries > 0);
    let twice = check(&arrived.lock().expect("as the test made it"), 0);
    assert!(twice <= fake.unsaid() * 200, "{twice}");
}

#[test]
fn every_event_arrives_over_http() {
    through(false);
}

#[test]
fn every_event_arrives_over_grpc() {
    through(true);
}
