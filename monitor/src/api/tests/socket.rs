use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;

use super::curl::curl_as;
use super::fake::{Fake, OTHER, serve};
use crate::api::client::Client;
use crate::api::permissions::Policy;
use crate::api::server::Server;
use crate::api::socket::BindError;
use crate::api::types::Status;

#[tokio::test]
async fn a_deleted_socket_is_put_back_and_status_says_so() {
    let served = serve();
    assert_eq!(
        served.path.metadata().unwrap().permissions().mode() & 0o777,
        0o666
    );
    let mut following = served.client.lines("/v1/events?follow=true").await.unwrap();
    std::fs::remove_dir_all(served.path.parent().unwrap()).unwrap();
    let start = Instant::now();
    let status = loop {
        match served.client.get::<Status>("/v1/status").await {
            Ok(status) => break status,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(5), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(
        status
            .degraded
            .iter()
            .any(|sentence| sentence.contains("put back")),
        "{status:?}"
    );
    assert_eq!(
        served.path.metadata().unwrap().permissions().mode() & 0o777,
        0o666
    );
    served.fake.record(crate::record::tests::sample::event(77));
    assert!(
        following.next().await.unwrap().is_some(),
        "connections from before go on"
    );
}

#[tokio::test]
async fn a_second_daemon_is_told_who_is_there() {
    let served = serve();
    match Server::bind(&served.path) {
        Err(BindError::Taken { pid, .. }) => assert_eq!(pid, std::process::id()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_end_comes_soon_even_for_those_who_follow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("scopeward.sock");
    let server = Server::bind(&path).unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let fake: Arc<Fake> = Fake::new();
    let serving = tokio::spawn(server.serve(fake, Policy::default(), async { drop(ended.await) }));
    let mut lines = Client::new(&path).lines("/v1/events?follow=true").await.unwrap();
    let start = Instant::now();
    end.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(4));
    assert!(
        matches!(lines.next().await, Ok(None)),
        "the stream ended in order"
    );
    assert!(!path.exists(), "the socket goes with the daemon");
}

#[tokio::test]
async fn one_user_cannot_take_all_connections() {
    let served = serve();
    let Some(_) = curl_as(OTHER, &served, &["http://x/v1/status"]).await else {
        return;
    };
    // A hundred connections of another user, held open by a process of theirs.
    let script = "import socket,sys,time\n\
                  held=[]\n\
                  for _ in range(100):\n s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); held.append(s)\n\
                  print('held',flush=True)\n\
                  time.sleep(60)\n";
    let mut child = tokio::process::Command::new("/usr/bin/python3");
    child
        .args(["-c", script])
        .arg(&served.path)
        .uid(OTHER)
        .gid(OTHER)
        .stdout(std::process::Stdio::piped());
    let Ok(mut child) = child.kill_on_drop(true).spawn() else {
        eprintln!("skipped: no python3");
        return;
    };
    let mut word = [0; 4];
    tokio::io::AsyncReadExt::read_exact(child.stdout.as_mut().unwrap(), &mut word)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(
        curl_as(OTHER, &served, &["http://x/v1/status"])
            .await
            .is_none_or(|(status, _)| status != 200)
    );
    assert_eq!(
        curl_as(OTHER + 1, &served, &["http://x/v1/status"])
            .await
            .unwrap()
            .0,
        200
    );
    assert!(UnixStream::connect(&served.path).await.is_ok());
    child.kill().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(
        curl_as(OTHER, &served, &["http://x/v1/status"]).await.unwrap().0,
        200,
        "and they get them back"
    );
}
