//! Splunk's HTTP Event Collector. With acknowledgement, a delivery counts once the indexer says so; without, once it is
//! taken. Splunk does not know an event again: what is sent twice is there twice, with the same id.

use std::time::Duration;

use serde_json::{Value, json};

use crate::export::http::Http;
use crate::export::item::Item;
use crate::export::outcome::{Fate, Outcome, Trouble};
use crate::export::settings::HecSettings;

/// The pauses between questions whether it is indexed.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// `code` of an answer: an event of the request is not what it should be; `invalid-event-number` says which.
const INVALID: u64 = 6;

/// An event collector.
#[derive(Debug)]
pub struct HecDestination {
    http: Http,
    settings: HecSettings,
    /// Splunk keeps acknowledgements by channel.
    channel: String,
}

impl HecDestination {
    /// The collector of `settings`.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn open(settings: &HecSettings) -> Result<Self, Trouble> {
        let number = format!("{:032x}", ulid::Ulid::new().0);
        let channel = [
            &number[..8],
            &number[8..12],
            &number[12..16],
            &number[16..20],
            &number[20..],
        ]
        .join("-");
        Ok(Self {
            http: Http::open(&settings.http, false)?,
            settings: settings.clone(),
            channel,
        })
    }

    /// Delivers `items`.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        let count = items.len();
        let mut body = Vec::new();
        for item in items {
            body.extend_from_slice(self.event(item).to_string().as_bytes());
            body.push(b'\n');
        }
        let url = format!("{}/services/collector/event", self.http.url);
        let headers = [
            ("content-type", "application/json"),
            ("x-splunk-request-channel", self.channel.as_str()),
        ];
        let answer = match self.http.post(&url, &headers, body).await {
            Ok(answer) => answer,
            Err(trouble) => return Outcome::none(count, trouble),
        };
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if let Some(mut trouble) = answer.trouble() {
            let invalid = said["invalid-event-number"]
                .as_u64()
                .and_then(|number| usize::try_from(number).ok());
            if said["code"] == INVALID
                && let Some(number) = invalid.filter(|number| *number < count)
            {
                let mut outcome = Outcome::none(count, Trouble::default());
                outcome.fates[number] = Fate::Refused(trouble.why);
                outcome.trouble = None;
                return outcome;
            }
            // Other faults of the request (no channel, a wrong index) are not those of an event.
            trouble.content &= answer.status.as_u16() == 413
                || said["code"] == INVALID
                || said["code"] == 5
                || said["code"] == 12;
            return Outcome::none(count, trouble);
        }
        match (self.settings.acknowledge, said["ackId"].as_u64()) {
            (false, _) => Outcome::all(count),
            (true, None) => {
                let why = "the collector gives no ackId: turn on indexer acknowledgement for the token, or write acknowledge = false";
                Outcome::none(count, Trouble::new(why))
            }
            (true, Some(number)) => match self.acknowledged(number).await {
                Ok(()) => Outcome::all(count),
                Err(trouble) => Outcome::none(count, trouble),
            },
        }
    }

    /// Asks until delivery `number` is indexed. (Whoever called gives it only so long.)
    async fn acknowledged(&self, number: u64) -> Result<(), Trouble> {
        let url = format!(
            "{}/services/collector/ack?channel={}",
            self.http.url, self.channel
        );
        let question = json!({"acks": [number]}).to_string();
        loop {
            let headers = [
                ("content-type", "application/json"),
                ("x-splunk-request-channel", self.channel.as_str()),
            ];
            let answer = self
                .http
                .post(&url, &headers, question.clone().into_bytes())
                .await?;
            if let Some(mut trouble) = answer.trouble() {
                trouble.content = false;
                return Err(trouble);
            }
            let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if said["acks"][number.to_string()] == true {
                return Ok(());
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn event(&self, item: &Item) -> Value {
        let event = &item.event;
        let record = serde_json::from_slice(&item.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&item.body).into_owned()));
        let millis = event.time.as_millisecond();
        let mut wrapped = json!({
            // Seconds and milliseconds, as a text: a fraction would lose digits.
            "time": format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000)),
            "host": event.host.name,
            "source": "scopeward",
            "sourcetype": self.settings.sourcetype,
            "event": record,
            "fields": {
                "event_id": event.id,
                "agent": event.session.agent,
                "session": event.session.id,
                "kind": event.act.kind.word(),
                "verdict": event.verdict.applied.word(),
            },
        });
        if let Some(index) = &self.settings.index {
            wrapped["index"] = json!(index);
        }
        wrapped
    }
}
