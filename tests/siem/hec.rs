//! Splunk's event collector, with acknowledgements that come late or never.

use std::collections::HashMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scopeward::export::settings::{Authorization, DestinationSettings, HecSettings, HttpSettings, Secret};
use serde_json::{Value, json};

use crate::fake::{Fake, Ids};
use crate::feed::{Feed, check, settings};

#[test]
fn every_event_is_indexed_and_acknowledged() {
    use std::os::unix::fs::OpenOptionsExt;
    let dir = tempfile::tempdir().expect("as the test made it");
    let token = dir.path().join("token");
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&token)
        .expect("as the test made it");
    std::io::Write::write_all(&mut file, b"11111111-2222\n").expect("as the test made it");
    let indexed = Ids::default();
    let list = indexed.clone();
    // What was taken and is not indexed yet; how often it was asked for; None where the indexer lost it.
    let mut waiting: HashMap<u64, (Option<Vec<String>>, u32)> = HashMap::new();
    let mut last = 0;
    let poison = crate::feed::id(1_234);
    let fake = Fake::start(move |request| {
        assert_eq!(request.headers["authorization"], "Splunk 11111111-2222");
        let channel = request.headers["x-splunk-request-channel"]
            .to_str()
            .expect("as the test made it");
        assert_eq!(
            channel.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        if request.uri.path() == "/services/collector/ack" {
            assert_eq!(request.uri.query(), Some(format!("channel={channel}").as_str()));
            let asked: Value = serde_json::from_slice(request.body).expect("as the test made it");
            let number = asked["acks"][0].as_u64().expect("as the test made it");
            let (ids, times) = waiting.get_mut(&number).expect("as the test made it");
            *times += 1;
            let there = *times > 1 && ids.is_some();
            if there {
                list.lock()
                    .expect("as the test made it")
                    .extend(ids.take().expect("as the test made it"));
            }
            return Json(json!({"acks": {number.to_string(): there}})).into_response();
        }
        assert_eq!(request.uri.path(), "/services/collector/event");
        let events: Vec<Value> = serde_json::Deserializer::from_slice(request.body)
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("as the test made it");
        let ids: Vec<String> = events
            .iter()
            .map(|event| {
                event["event"]["id"]
                    .as_str()
                    .expect("as the test made it")
                    .to_owned()
            })
            .collect();
        assert!(
            events
                .iter()
                .all(|event| event["sourcetype"] == "scopeward:event" && event["time"].is_string())
        );
        if let Some(number) = ids.iter().position(|id| *id == poison) {
            let body = json!({"text": "Invalid data format", "code": 6, "invalid-event-number": number});
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
        last += 1;
        // One in thirty is lost between the collector and the indexer.
        let lost = request.chance % 30 == 7;
        waiting.insert(last, ((!lost).then_some(ids), 0));
        Json(json!({"text": "Success", "code": 0, "ackId": last})).into_response()
    });
    let mut settings = settings(DestinationSettings::SplunkHec(HecSettings {
        http: HttpSettings {
            url: fake.url.clone(),
            authorization: Some((Authorization::Splunk, Secret::File(token))),
            ..HttpSettings::default()
        },
        index: None,
        sourcetype: "scopeward:event".into(),
        acknowledge: true,
    }));
    settings.batch = 1_000;
    settings.timeout = std::time::Duration::from_secs(6);
    let status = Feed::start(&settings).finish(|| {});
    assert_eq!(status.totals.refused, 1);
    assert!(status.retries > 0);
    let twice = check(&indexed.lock().expect("as the test made it"), 1);
    assert!(twice <= fake.unsaid() * 1_000, "{twice}");
}
