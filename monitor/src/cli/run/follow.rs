//! The events of a session, as the daemon streams them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::telling::Telling;
use crate::{
    api::{
        client::{Client, ClientError, LineStream},
        question::Question,
        types::MissedLine,
    },
    record::{event::EventRecord, filter::Filter},
    scope::words::Response,
};

/// How long a daemon that went away is given before it is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// What is asked for: the events of `session`, from `since` on where the stream broke then.
fn target(session: &str, all: bool, since: Option<Timestamp>) -> String {
    let verdict = if all {
        Vec::new()
    } else {
        vec![Response::Deny, Response::Freeze, Response::Kill]
    };
    let filter = Filter {
        session: vec![session.to_owned()],
        verdict,
        since,
        ..Filter::default()
    };
    format!("/v1/events?{}", Question { filter, follow: true }.write())
}

/// Starts to follow `session`: what happens once this has returned is in the stream.
pub(super) async fn begin(client: &Client, session: &str, all: bool) -> Result<LineStream, ClientError> {
    client.lines(&target(session, all, None)).await
}

/// Hands over what the stream brings, for ever. A daemon that ends is asked again once it is back: what it recorded
/// meanwhile is caught up.
pub(super) async fn hand_over(
    client: Client,
    session: String,
    mut stream: LineStream,
    telling: Arc<Mutex<Telling>>,
) {
    let mut latest = Timestamp::now();
    let mut recent: Vec<String> = Vec::new();
    loop {
        while let Ok(Some(line)) = stream.next().await {
            let mut telling = telling.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(event) = serde_json::from_str::<EventRecord>(&line) {
                // The catching-up begins at the time of the latest event, and at most some events share that.
                if event.time > latest {
                    recent.clear();
                    latest = event.time;
                }
                if !recent.contains(&event.id) {
                    telling.event(&event);
                    recent.push(event.id);
                }
            } else if serde_json::from_str::<MissedLine>(&line).is_ok() {
                telling.line(&line);
            }
        }
        let all = {
            let mut telling = telling.lock().unwrap_or_else(PoisonError::into_inner);
            telling
                .say("the daemon ended; the session stays held, and its events come once the daemon is back");
            telling.wants_all()
        };
        stream = loop {
            tokio::time::sleep(AGAIN).await;
            if let Ok(stream) = client.lines(&target(&session, all, Some(latest))).await {
                break stream;
            }
        };
    }
}
