//! A webhook.

use axum::response::IntoResponse;
use scopeward::export::settings::{DestinationSettings, HttpSettings, Secret, WebhookSettings};
use serde_json::Value;

use crate::fake::{Fake, Ids};
use crate::feed::{Feed, check, settings};

fn ids(body: &[u8], array: bool) -> Vec<String> {
    let records: Vec<Value> = if array {
        serde_json::from_slice(body).expect("as the test made it")
    } else {
        body.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("as the test made it"))
            .collect()
    };
    records
        .iter()
        .map(|record| record["id"].as_str().expect("as the test made it").to_owned())
        .collect()
}

fn through(array: bool) {
    use std::os::unix::fs::OpenOptionsExt;
    let dir = tempfile::tempdir().expect("as the test made it");
    let token = dir.path().join("token");
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&token)
        .expect("as the test made it");
    std::io::Write::write_all(&mut file, b"hunter2\n").expect("as the test made it");
    let arrived = Ids::default();
    let list = arrived.clone();
    let fake = Fake::start(move |request| {
        assert_eq!(request.headers["authorization"], "Bearer hunter2");
        assert_eq!(request.headers["x-team"], "blue");
        list.lock()
            .expect("as the test made it")
            .extend(ids(request.body, array));
        "".into_response()
    });
    let feed = Feed::start(&settings(DestinationSettings::Webhook(WebhookSettings {
        http: HttpSettings {
            url: format!("{}/in", fake.url),
            headers: [("x-team".to_owned(), "blue".to_owned())].into(),
            authorization: Some((
                scopeward::export::settings::Authorization::Bearer,
                Secret::File(token),
            )),
            ..HttpSettings::default()
        },
        array,
    })));
    let status = feed.finish(|| {});
    assert!(status.retries > 0);
    let twice = check(&arrived.lock().expect("as the test made it"), 0);
    assert!(
        twice <= fake.unsaid() * 200,
        "only what was not acknowledged came twice: {twice}"
    );
}

#[test]
fn every_event_arrives_as_lines() {
    through(false);
}

#[test]
fn every_event_arrives_in_arrays() {
    through(true);
}

#[test]
fn what_it_never_takes_does_not_keep_the_others_back() {
    let arrived = Ids::default();
    let list = arrived.clone();
    let poison = [crate::feed::id(777), crate::feed::id(5_000)];
    let expected = poison.clone();
    let fake = Fake::start(move |request| {
        let ids = ids(request.body, false);
        if ids.iter().any(|id| poison.contains(id)) {
            return (axum::http::StatusCode::BAD_REQUEST, "no such event").into_response();
        }
        list.lock().expect("as the test made it").extend(ids);
        "".into_response()
    });
    let feed = Feed::start(&settings(DestinationSettings::Webhook(WebhookSettings {
        http: HttpSettings {
            url: fake.url.clone(),
            ..HttpSettings::default()
        },
        array: false,
    })));
    let status = feed.finish(|| {});
    assert_eq!(status.totals.refused, 2);
    let arrived = arrived.lock().expect("as the test made it");
    check(&arrived, 2);
    assert!(!arrived.iter().any(|id| expected.contains(id)));
}
