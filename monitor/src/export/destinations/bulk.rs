//! The bulk API of Elasticsearch and OpenSearch. Each event is created under its own id: what is there already is
//! refused as a conflict, which is as good as taken. Each event of a request has its own answer.

use serde_json::{Value, json};

use crate::export::http::Http;
use crate::export::item::Item;
use crate::export::outcome::{Fate, Outcome, Trouble};
use crate::export::settings::BulkSettings;

/// An index, or a data stream.
#[derive(Debug)]
pub struct BulkDestination {
    http: Http,
    index: String,
}

impl BulkDestination {
    /// The index of `settings`.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn open(settings: &BulkSettings) -> Result<Self, Trouble> {
        Ok(Self {
            http: Http::open(&settings.http, false)?,
            index: settings.index.clone(),
        })
    }

    /// Delivers `items`.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        let count = items.len();
        let mut body = Vec::new();
        for item in items {
            let action = json!({"create": {"_index": self.index, "_id": item.event.id}});
            body.extend_from_slice(action.to_string().as_bytes());
            body.push(b'\n');
            body.extend_from_slice(document(item).to_string().as_bytes());
            body.push(b'\n');
        }
        let url = format!("{}/_bulk", self.http.url);
        let answer = match self
            .http
            .post(&url, &[("content-type", "application/x-ndjson")], body)
            .await
        {
            Ok(answer) => answer,
            Err(trouble) => return Outcome::none(count, trouble),
        };
        if let Some(trouble) = answer.trouble() {
            return Outcome::none(count, trouble);
        }
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match said["items"].as_array() {
            Some(results) if results.len() == count => each(results),
            _ => Outcome::none(count, Trouble::new("the answer is not one of the bulk API")),
        }
    }
}

/// The fate of each event.
fn each(results: &[Value]) -> Outcome {
    let mut trouble = None;
    let fates: Vec<Fate> = results
        .iter()
        .map(|result| {
            let result = &result["create"];
            let why = || {
                let (kind, reason) = (&result["error"]["type"], &result["error"]["reason"]);
                format!(
                    "{} {}: {}",
                    result["status"],
                    kind.as_str().unwrap_or_default(),
                    reason.as_str().unwrap_or_default()
                )
            };
            match result["status"].as_u64().unwrap_or(0) {
                // 409: it is there, by an earlier delivery.
                200..=299 | 409 => Fate::Accepted,
                400 | 413 | 422 => Fate::Refused(why()),
                _ => {
                    trouble.get_or_insert_with(|| {
                        Trouble::new(format!("some events were not taken: {}", why()))
                    });
                    Fate::Again
                }
            }
        })
        .collect();
    Outcome {
        fates,
        trouble,
        ..Outcome::all(0)
    }
}

/// The record as a document; data streams need a time under their own name for it.
fn document(item: &Item) -> Value {
    let mut document = serde_json::from_slice(&item.body)
        .ok()
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({"message": String::from_utf8_lossy(&item.body)}));
    if document["@timestamp"].is_null() {
        document["@timestamp"] = json!(item.event.time.to_string());
    }
    document
}
