//! nats-server with JetStream: every event once, however often it is killed.

use std::process::Command;
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::Config;
use scopeward::export::settings::{DestinationSettings, NatsSettings, TlsSettings};

use crate::feed::{Feed, check, events, settings};
use crate::packages;
use crate::server::{Server, free_port};

#[test]
fn a_stream_has_every_event_once() {
    let Some(root) = packages::or_skip(&["nats-server"]) else {
        return;
    };
    let dir = tempfile::tempdir().expect("as the test made it");
    let port = free_port();
    let folder = dir.path().to_owned();
    let mut server = Server::start(port, move || {
        let mut command = Command::new(root.join("usr/sbin/nats-server"));
        command
            .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
            .arg(&folder);
        command
    });
    let runtime = tokio::runtime::Runtime::new().expect("as the test made it");
    let connect = || async move {
        let client = async_nats::connect(format!("127.0.0.1:{port}"))
            .await
            .expect("as the test made it");
        async_nats::jetstream::new(client)
    };
    runtime.block_on(async {
        let stream = Config {
            name: "AGENTS".into(),
            subjects: vec!["scopeward.>".into()],
            duplicate_window: Duration::from_secs(3_600),
            ..Config::default()
        };
        connect()
            .await
            .create_stream(stream)
            .await
            .expect("as the test made it");
    });
    let feed = Feed::start(&settings(DestinationSettings::Nats(NatsSettings {
        servers: vec![format!("nats://127.0.0.1:{port}")],
        subject: "scopeward.events.{host}.{agent}.{kind}".into(),
        tls_wanted: false,
        tls: TlsSettings::default(),
        authorization: None,
    })));
    let status = feed.finish(|| server.trouble());
    eprintln!(
        "{}: killed, left down or stopped {} times",
        status.destination,
        server.troubles()
    );
    assert!(status.retries > 0, "something was in the way");
    let ids = runtime.block_on(async {
        let stream = connect()
            .await
            .get_stream("AGENTS")
            .await
            .expect("as the test made it");
        let mut ids = Vec::new();
        let consumer = stream
            .create_consumer(pull::Config::default())
            .await
            .expect("as the test made it");
        while (ids.len() as u64) < events() {
            let mut batch = consumer
                .fetch()
                .max_messages(1_000)
                .messages()
                .await
                .expect("as the test made it");
            let before = ids.len();
            while let Some(message) = futures_next(&mut batch).await {
                let message = message.expect("as the test made it");
                assert_eq!(
                    message.subject.as_str(),
                    "scopeward.events.agent-7.claude-code.file.open"
                );
                let record: serde_json::Value =
                    serde_json::from_slice(&message.payload).expect("as the test made it");
                ids.push(record["id"].as_str().expect("as the test made it").to_owned());
                message.ack().await.expect("as the test made it");
            }
            assert!(ids.len() > before, "{} of {} events", ids.len(), events());
        }
        let kept = stream
            .get_info()
            .await
            .expect("as the test made it")
            .state
            .messages;
        assert_eq!(kept, events(), "each once");
        ids
    });
    server.stop();
    assert_eq!(check(&ids, 0), 0, "each once");
}

/// The next of a stream, without a crate for it.
async fn futures_next(
    batch: &mut pull::Batch,
) -> Option<Result<async_nats::jetstream::Message, async_nats::Error>> {
    std::future::poll_fn(|context| futures_core::Stream::poll_next(std::pin::Pin::new(&mut *batch), context))
        .await
}
