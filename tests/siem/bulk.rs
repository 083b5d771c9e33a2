//! The bulk API, with answers of its own for each event.

use std::collections::HashSet;

use axum::Json;
use axum::response::IntoResponse;
use scopeward::export::settings::{BulkSettings, DestinationSettings, Format, HttpSettings};
use serde_json::{Value, json};

use crate::fake::{Fake, Ids};
use crate::feed::{Feed, check, id, settings};

#[test]
fn every_event_is_a_document_once() {
    let documents = Ids::default();
    let list = documents.clone();
    let mut there = HashSet::new();
    let poison = id(4_321);
    let fake = Fake::start(move |request| {
        assert_eq!(request.uri.path(), "/_bulk");
        let lines: Vec<Value> = request
            .body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("as the test made it"))
            .collect();
        let mut errors = false;
        let mut chance = request.chance;
        let items: Vec<Value> = lines
            .chunks(2)
            .map(|pair| {
                let id = pair[0]["create"]["_id"]
                    .as_str()
                    .expect("as the test made it")
                    .to_owned();
                assert_eq!(pair[0]["create"]["_index"], "logs-scopeward-default");
                assert!(pair[1]["@timestamp"].is_string() && pair[1]["event"]["id"] == id.as_str());
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let (status, error) = if id == poison {
                    (400, Some("document_parsing_exception"))
                } else if (chance >> 33) % 2_000 == 0 {
                    (429, Some("es_rejected_execution_exception"))
                } else if there.insert(id.clone()) {
                    list.lock().expect("as the test made it").push(id.clone());
                    (201, None)
                } else {
                    (409, Some("version_conflict_engine_exception"))
                };
                errors |= error.is_some();
                let error = error.map(|kind| json!({"type": kind, "reason": "because"}));
                json!({"create": {"_id": id, "status": status, "error": error}})
            })
            .collect();
        Json(json!({"took": 1, "errors": errors, "items": items})).into_response()
    });
    let mut settings = settings(DestinationSettings::Elasticsearch(BulkSettings {
        http: HttpSettings {
            url: fake.url.clone(),
            ..HttpSettings::default()
        },
        index: "logs-scopeward-default".into(),
    }));
    settings.format = Format::Ecs;
    settings.batch = 500;
    let status = Feed::start(&settings).finish(|| {});
    assert_eq!(status.totals.refused, 1);
    assert!(status.retries > 0);
    // Documents have no order; each is there once.
    let mut documents = documents.lock().expect("as the test made it").clone();
    documents.sort();
    assert_eq!(check(&documents, 1), 0);
}
