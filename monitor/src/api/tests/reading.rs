use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::curl::curl_as;
use super::fake::{OTHER, serve, serve_with};
use crate::api::client::{Client, ClientError};
use crate::api::permissions::Policy;
use crate::api::types::{AgentInfo, ErrorBody, SessionInfo, Status, Tree, Why};
use crate::record::event::EventRecord;
use crate::record::tests::sample;

async fn refused(client: &Client, target: &str) -> (u16, ErrorBody) {
    match client.get::<serde_json::Value>(target).await {
        Err(ClientError::Refused { status, body }) => (status.as_u16(), body),
        other => panic!("{target}: {other:?}"),
    }
}

#[tokio::test]
async fn every_question_has_its_answer() {
    let served = serve();
    let client = &served.client;
    assert_eq!(client.get::<Status>("/v1/status").await.unwrap().generation, 7);
    assert_eq!(
        client
            .get::<Vec<SessionInfo>>("/v1/sessions")
            .await
            .unwrap()
            .len(),
        3
    );
    let one: SessionInfo = client.get("/v1/sessions/s-00000000000000bb").await.unwrap();
    assert_eq!(one.agent, "codex");
    let tree: Tree = client.get("/v1/sessions/s-00000000000000bb/tree").await.unwrap();
    assert_eq!(tree.roots[0].children.len(), 2);
    assert_eq!(
        client.get::<Vec<AgentInfo>>("/v1/agents").await.unwrap()[0].sessions,
        2
    );
    let id = sample::event(9).id;
    assert_eq!(
        client
            .get::<EventRecord>(&format!("/v1/events/{id}"))
            .await
            .unwrap(),
        sample::event(9)
    );
    assert_eq!(
        client
            .get::<Why>(&format!("/v1/events/{id}/why"))
            .await
            .unwrap()
            .event
            .id,
        id
    );
    let mut lines = client
        .lines("/v1/events?verdict=deny&limit=2&order=newest")
        .await
        .unwrap();
    let mut ids = Vec::new();
    while let Some(line) = lines.next().await.unwrap() {
        ids.push(serde_json::from_str::<EventRecord>(&line).unwrap().id);
    }
    assert_eq!(ids, [sample::event(29).id, sample::event(19).id]);
}

#[tokio::test]
async fn what_cannot_be_answered_is_said_in_one_shape() {
    let served = serve();
    for (target, status, part) in [
        ("/v1/sessions/s-nobody", 404, "s-nobody"),
        ("/v1/sessions/%ff%fe", 400, "400"),
        ("/v1/events/01JUNK", 404, "01JUNK"),
        ("/v1/events?kind=file.opened", 400, "file.opened"),
        ("/v1/events?since=soon", 400, "soon"),
        ("/v1/events?colour=red", 400, "colour"),
        ("/v2/status", 404, "nothing"),
        ("/v1/sessions/s-00000000000000aa/freeze", 405, "method"),
    ] {
        let (actual, body) = refused(&served.client, target).await;
        assert_eq!(actual, status, "{target}: {body:?}");
        assert!(
            body.error.contains(part) && !body.remedy.is_empty(),
            "{target}: {body:?}"
        );
    }
}

#[tokio::test]
async fn those_who_may_not_read_all_read_their_own() {
    let served = serve();
    let Some((status, body)) = curl_as(OTHER, &served, &["http://x/v1/sessions"]).await else {
        return;
    };
    let sessions: Vec<SessionInfo> = serde_json::from_str(&body).unwrap();
    assert_eq!((status, sessions.len(), sessions[0].owner.uid), (200, 1, OTHER));
    let (status, body) = curl_as(OTHER, &served, &["http://x/v1/sessions/s-00000000000000aa"])
        .await
        .unwrap();
    assert_eq!(status, 403, "{body}");
    let (status, _) = curl_as(OTHER, &served, &["http://x/v1/sessions/s-00000000000000bb/tree"])
        .await
        .unwrap();
    assert_eq!(status, 200);
    // The sample's owners are 1000 and 1001.
    let (status, body) = curl_as(1_001, &served, &["http://x/v1/events"]).await.unwrap();
    let events: Vec<EventRecord> = body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((status, events.len()), (200, 15));
    assert!(events.iter().all(|event| event.session.owner.uid == 1_001));
    let url = format!("http://x/v1/events/{}/why", sample::event(0).id);
    assert_eq!(curl_as(1_001, &served, &[url.as_str()]).await.unwrap().0, 403);
    assert_eq!(curl_as(1_000, &served, &[url.as_str()]).await.unwrap().0, 200);
    let (_, body) = curl_as(OTHER, &served, &["http://x/v1/status"]).await.unwrap();
    assert!(!body.contains("netwrok"), "{body}");
    let (_, body) = curl_as(OTHER, &served, &["http://x/v1/agents"]).await.unwrap();
    let agents: Vec<AgentInfo> = serde_json::from_str(&body).unwrap();
    assert_eq!((agents[0].sessions, agents[0].acts), (0, 0), "{body}");
}

#[tokio::test]
async fn the_readers_group_reads_all() {
    let served = serve_with(Policy {
        readers: Some(OTHER),
        ..Policy::default()
    });
    let Some((status, body)) = curl_as(OTHER, &served, &["http://x/v1/sessions"]).await else {
        return;
    };
    assert_eq!(
        (
            status,
            serde_json::from_str::<Vec<SessionInfo>>(&body).unwrap().len()
        ),
        (200, 3)
    );
}

#[tokio::test]
async fn garbage_in_place_of_http_harms_nobody() {
    let served = serve();
    for garbage in [
        &b"\0\xff\xfe\r\n\r\n"[..],
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        &[b'A'; 200_000],
    ] {
        let mut stream = UnixStream::connect(&served.path).await.unwrap();
        // It may be cut off in the midst of it.
        drop(stream.write_all(garbage).await);
        drop(stream.shutdown().await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }
    assert!(served.client.get::<Status>("/v1/status").await.is_ok());
}

#[tokio::test]
async fn a_daemon_that_does_not_run_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("scopeward.sock");
    let error = Client::new(&path).get::<Status>("/v1/status").await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }));
    assert!(
        error.to_string().contains(path.to_str().unwrap()) && error.to_string().contains("systemctl start")
    );
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let error = Client::new(&path).get::<Status>("/v1/status").await.unwrap_err();
    assert!(
        matches!(error, ClientError::NotRunning { .. }),
        "a socket that nobody listens on"
    );
}
