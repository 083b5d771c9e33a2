//! A generic webhook: a delivery is one POST, as lines of JSON or as one array. 2xx takes all of it.

use crate::export::http::Http;
use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::WebhookSettings;

/// A webhook.
#[derive(Debug)]
pub struct WebhookDestination {
    http: Http,
    array: bool,
}

impl WebhookDestination {
    /// The webhook of `settings`.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn open(settings: &WebhookSettings) -> Result<Self, Trouble> {
        Ok(Self {
            http: Http::open(&settings.http, false)?,
            array: settings.array,
        })
    }

    /// Delivers `items`.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        let bodies = items.iter().map(|item| item.body.as_slice());
        let (kind, body) = if self.array {
            let inside = bodies.collect::<Vec<_>>().join(&b","[..]);
            ("application/json", [b"[", inside.as_slice(), b"]"].concat())
        } else {
            (
                "application/x-ndjson",
                bodies.flat_map(|body| [body, b"\n"].concat()).collect(),
            )
        };
        let count = items.len();
        match self
            .http
            .post(&self.http.url, &[("content-type", kind)], body)
            .await
        {
            Err(trouble) => Outcome::none(count, trouble),
            Ok(answer) => match answer.trouble() {
                None => Outcome::all(count),
                Some(trouble) => Outcome::none(count, trouble),
            },
        }
    }
}
