//! Grafana Loki. A stream for each agent, kind and verdict; ids stand beside the lines as structured metadata. Loki knows
//! a line again by its stream, time and text: what is sent twice is there once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::export::http::Http;
use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::LokiSettings;

/// A Loki.
#[derive(Debug)]
pub struct LokiDestination {
    http: Http,
    metadata: bool,
}

impl LokiDestination {
    /// The Loki of `settings`.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn open(settings: &LokiSettings) -> Result<Self, Trouble> {
        Ok(Self {
            http: Http::open(&settings.http, false)?,
            metadata: settings.metadata,
        })
    }

    /// Delivers `items`.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        let count = items.len();
        let url = format!("{}/loki/api/v1/push", self.http.url);
        let body = self.push(items).to_string().into_bytes();
        match self
            .http
            .post(&url, &[("content-type", "application/json")], body)
            .await
        {
            Err(trouble) => Outcome::none(count, trouble),
            Ok(answer) => match answer.trouble() {
                None => Outcome::all(count),
                Some(trouble) => Outcome::none(count, trouble),
            },
        }
    }

    fn push(&self, items: &[&Item]) -> Value {
        let mut streams: BTreeMap<[&str; 4], Vec<Value>> = BTreeMap::new();
        for item in items {
            let event = &item.event;
            let labels = [
                event.host.name.as_str(),
                &event.session.agent,
                event.act.kind.word(),
                event.verdict.applied.word(),
            ];
            let mut entry = vec![
                json!(event.time.as_nanosecond().to_string()),
                json!(String::from_utf8_lossy(&item.body)),
            ];
            if self.metadata {
                entry.push(json!({"event_id": event.id, "session": event.session.id}));
            }
            streams.entry(labels).or_default().push(Value::Array(entry));
        }
        let streams: Vec<Value> = streams
            .into_iter()
            .map(|([host, agent, kind, verdict], values)| {
                json!({
                    "stream": {"job": "scopeward", "host": host, "agent": agent, "kind": kind, "verdict": verdict},
                    "values": values,
                })
            })
            .collect();
        json!({"streams": streams})
    }
}
