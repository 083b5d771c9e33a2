use std::collections::BTreeSet;

use super::curl::curl_as;
use super::fake::{OTHER, Served, serve, serve_with};
use crate::api::client::ClientError;
use crate::api::permissions::Policy;
use crate::api::types::{
    ChangeRequest, EnrolRequest, Enrolled, Grant, GrantRequest, GrantState, ScopeChoice, SessionInfo,
    SessionState,
};
use crate::scope::words::Mode;

const OWN: &str = "s-00000000000000bb";
const OTHERS: &str = "s-00000000000000aa";
const REASON: &str = r#"{"reason":"test"}"#;

fn reason() -> ChangeRequest {
    ChangeRequest {
        reason: "by hand".into(),
    }
}

async fn post_as(uid: u32, served: &Served, target: &str, body: &str) -> Option<(u16, String)> {
    let url = format!("http://x/v1{target}");
    let body = ["-H", "content-type: application/json", "-d", body, url.as_str()];
    curl_as(uid, served, &body).await
}

#[tokio::test]
async fn root_changes_and_the_session_shows_it() {
    let served = serve_with(Policy {
        operators: BTreeSet::from([nix::unistd::geteuid().as_raw()]),
        readers: None,
    });
    let client = &served.client;
    let post = async |change: &str| {
        client
            .post::<SessionInfo>(&format!("/v1/sessions/{OWN}/{change}"), &reason())
            .await
    };
    assert_eq!(
        post("freeze").await.unwrap().status,
        SessionState::Frozen("by hand".into())
    );
    assert_eq!(post("thaw").await.unwrap().status, SessionState::Running);
    assert_eq!(
        post("kill").await.unwrap().status,
        SessionState::Killed("by hand".into())
    );
    for (target, body, status) in [
        ("/v1/sessions/s-nobody/kill", reason(), 404),
        (
            &format!("/v1/sessions/{OWN}/kill"),
            ChangeRequest { reason: " ".into() },
            400,
        ),
        (
            &format!("/v1/sessions/{OWN}/kill"),
            ChangeRequest {
                reason: "x".repeat(5_000),
            },
            400,
        ),
    ] {
        match client.post::<SessionInfo>(target, &body).await {
            Err(ClientError::Refused { status: actual, .. }) => assert_eq!(actual.as_u16(), status),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn owners_stop_their_own_and_thaw_nothing() {
    let served = serve();
    for (target, expected) in [
        (format!("/sessions/{OWN}/freeze"), 200),
        (format!("/sessions/{OWN}/thaw"), 403),
        (format!("/sessions/{OWN}/kill"), 200),
        (format!("/sessions/{OTHERS}/freeze"), 403),
        (format!("/sessions/{OTHERS}/kill"), 403),
    ] {
        let Some((status, body)) = post_as(OTHER, &served, &target, REASON).await else {
            return;
        };
        assert_eq!(status, expected, "{target}: {body}");
    }
    let served = serve_with(Policy {
        operators: BTreeSet::from([OTHER]),
        readers: None,
    });
    let (status, body) = post_as(OTHER, &served, &format!("/sessions/{OTHERS}/thaw"), REASON)
        .await
        .unwrap();
    assert_eq!(status, 200, "an operator: {body}");
}

#[tokio::test]
async fn nothing_changes_anything_from_inside_a_session() {
    let served = serve();
    // The client of this test is this very process: root, where the tests run as root.
    *served.fake.inside.lock().unwrap() = Some(std::process::id());
    let enrol = EnrolRequest {
        pid: std::process::id(),
        scope: ScopeChoice::Matching,
        mode: None,
    };
    let mut answers = vec![
        served
            .client
            .post::<serde_json::Value>("/v1/sessions", &enrol)
            .await,
    ];
    for change in ["freeze", "thaw", "kill"] {
        let target = format!("/v1/sessions/{OWN}/{change}");
        answers.push(served.client.post(&target, &reason()).await);
    }
    for answer in answers {
        match answer {
            Err(ClientError::Refused { status, body }) => {
                assert_eq!(status.as_u16(), 403);
                assert!(
                    body.error.contains("inside agent session s-00000000000000aa"),
                    "{body:?}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(served.fake.enrolled.lock().unwrap().is_empty());
    assert!(
        served
            .client
            .get::<Vec<SessionInfo>>("/v1/sessions")
            .await
            .is_ok(),
        "reading goes on"
    );
}

#[tokio::test]
async fn anybody_enrols_a_process_of_their_own_only() {
    let served = serve();
    let request = EnrolRequest {
        pid: std::process::id(),
        scope: ScopeChoice::Inline {
            text: "name = \"x\"".into(),
            file: "x.toml".into(),
            fragments: Vec::new(),
        },
        mode: Some(Mode::Observe),
    };
    let enrolled: Enrolled = served.client.post("/v1/sessions", &request).await.unwrap();
    assert_eq!((enrolled.mode, enrolled.warnings.len()), (Mode::Observe, 1));
    assert_eq!(*served.fake.enrolled.lock().unwrap(), [request]);
    let body = format!(
        r#"{{"pid":{},"scope":{{"named":"claude-code"}}}}"#,
        std::process::id()
    );
    let Some((status, answer)) = post_as(OTHER, &served, "/sessions", &body).await else {
        return;
    };
    assert_eq!(status, 403, "{answer}");
    let mut child = std::process::Command::new("sleep");
    let mut child = std::os::unix::process::CommandExt::uid(&mut child, OTHER)
        .arg("60")
        .spawn()
        .unwrap();
    let body = format!(r#"{{"pid":{},"scope":"matching"}}"#, child.id());
    let (status, answer) = post_as(OTHER, &served, "/sessions", &body).await.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status, 201, "{answer}");
    let (status, _) = post_as(OTHER, &served, "/sessions", &body).await.unwrap();
    assert_eq!(status, 422, "the process is gone");
}

#[tokio::test]
async fn malformed_bodies_are_named() {
    let served = serve();
    let huge = format!(r#"{{"reason":"{}"}}"#, "x".repeat(2 << 20));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, &huge).unwrap();
    let huge = format!("@{}", file.path().display());
    for (target, body, expected) in [
        (format!("/sessions/{OWN}/kill"), "{", 400),
        (format!("/sessions/{OWN}/kill"), r#"{"reson":"x"}"#, 422),
        (format!("/sessions/{OWN}/kill"), r#"{"reason":1}"#, 422),
        ("/sessions".into(), r#"{"pid":-1,"scope":"matching"}"#, 422),
        ("/sessions".into(), r#"{"pid":0,"scope":"matching"}"#, 422),
        (
            "/sessions".into(),
            r#"{"pid":4294967295,"scope":"matching"}"#,
            422,
        ),
        (format!("/sessions/{OWN}/kill"), huge.as_str(), 413),
    ] {
        let Some((status, answer)) = post_as(0, &served, &target, body).await else {
            return;
        };
        let answer: crate::api::types::ErrorBody = serde_json::from_str(&answer).unwrap();
        assert_eq!(status, expected, "{answer:?}");
        assert!(
            !answer.error.is_empty() && !answer.remedy.is_empty(),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn only_operators_outside_sessions_approve() {
    let served = serve();
    let request = GrantRequest {
        event: Some("01".into()),
        seconds: 600,
        ..GrantRequest::default()
    };
    let give = async |seconds| {
        let request = GrantRequest {
            seconds,
            ..request.clone()
        };
        served.client.post::<Grant>("/v1/grants", &request).await
    };
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: not root");
        return;
    }
    let given = give(600).await.unwrap();
    assert_eq!(
        (given.state, given.event.as_deref()),
        (GrantState::Live, Some("01"))
    );
    for seconds in [0, 86_401] {
        match give(seconds).await {
            Err(ClientError::Refused { status, .. }) => assert_eq!(status.as_u16(), 422),
            other => panic!("{other:?}"),
        }
    }
    *served.fake.inside.lock().unwrap() = Some(std::process::id());
    match give(600).await {
        Err(ClientError::Refused { status, body }) => {
            assert_eq!(status.as_u16(), 403);
            assert!(body.error.contains("inside agent session"), "{body:?}");
        }
        other => panic!("{other:?}"),
    }
    *served.fake.inside.lock().unwrap() = None;
    let body = r#"{"event":"01","seconds":600}"#;
    let Some((status, answer)) = post_as(OTHER, &served, "/grants", body).await else {
        return;
    };
    assert_eq!(status, 403, "{answer}");
    let target = format!("/grants/{}/revoke", given.id);
    let (status, answer) = post_as(OTHER, &served, &target, REASON).await.unwrap();
    assert_eq!(status, 403, "{answer}");
}
