//! Loki, which knows a line again.

use std::collections::HashSet;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use scopeward::export::settings::{DestinationSettings, HttpSettings, LokiSettings};
use serde_json::Value;

use crate::fake::{Fake, Ids};
use crate::feed::{Feed, check, settings};

#[test]
fn every_event_is_a_line_once() {
    let lines = Ids::default();
    let list = lines.clone();
    let mut there = HashSet::new();
    let fake = Fake::start(move |request| {
        assert_eq!(request.uri.path(), "/loki/api/v1/push");
        let body: Value = serde_json::from_slice(request.body).expect("as the test made it");
        for stream in body["streams"].as_array().expect("as the test made it") {
            assert_eq!(stream["stream"]["agent"], "claude-code");
            for value in stream["values"].as_array().expect("as the test made it") {
                let record: Value = serde_json::from_str(value[1].as_str().expect("as the test made it"))
                    .expect("as the test made it");
                assert_eq!(value[2]["event_id"], record["id"]);
                if there.insert((value[0].to_string(), value[1].to_string())) {
                    list.lock()
                        .expect("as the test made it")
                        .push(record["id"].as_str().expect("as the test made it").to_owned());
                }
            }
        }
        StatusCode::NO_CONTENT.into_response()
    });
    let status = Feed::start(&settings(DestinationSettings::Loki(LokiSettings {
        http: HttpSettings {
            url: fake.url.clone(),
            ..HttpSettings::default()
        },
        metadata: true,
    })))
    .finish(|| {});
    assert!(status.retries > 0);
    assert_eq!(check(&lines.lock().expect("as the test made it"), 0), 0);
}
