//! `scopeward grants --stats`: whether people decide, or only press the key.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::api::client::Client;
use crate::api::question::encode;
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::json;
use crate::cli::render::output::Output;
use crate::cli::render::words::counted;
use crate::cli::sessions::owner_words;
use crate::record::event::EventRecord;
use crate::scope::words::Kind;

/// An approval that comes faster than this after the act was hardly thought about.
const FAST: SignedDuration = SignedDuration::from_secs(3);

/// What the stored events say about grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// How many were given.
    pub given: u64,
    /// Of these, how many answered an event, so that it is known when they were asked for.
    pub answered: u64,
    /// Of those, how many within 3 seconds.
    pub within_3s: u64,
    /// Given without a reason.
    pub without_reason: u64,
    /// Over by their time or with their session.
    pub expired: u64,
    /// Taken back or replaced.
    pub revoked: u64,
    /// Over, and never used.
    pub never_used: u64,
    /// Acts that went through by those that are over.
    pub uses: u64,
    /// Given, by person.
    pub by: BTreeMap<String, u64>,
}

impl Stats {
    /// Counts one event; those that are not about grants change nothing.
    pub fn count(&mut self, event: &EventRecord) {
        let Some(decision) = event.act.decision.as_deref() else {
            return;
        };
        match event.act.kind {
            Kind::GrantGive => {
                self.given += 1;
                if let Some(asked) = decision.asked {
                    self.answered += 1;
                    self.within_3s += u64::from(took(asked, event.time) <= FAST);
                }
                self.without_reason += u64::from(decision.reason.is_none());
                let by = decision
                    .by
                    .as_ref()
                    .map_or_else(|| "nobody".to_owned(), owner_words);
                *self.by.entry(by).or_default() += 1;
            }
            Kind::GrantExpire | Kind::GrantRevoke => {
                let uses = decision.uses.unwrap_or(0);
                self.uses += uses;
                self.never_used += u64::from(uses == 0);
                if event.act.kind == Kind::GrantExpire {
                    self.expired += 1;
                } else {
                    self.revoked += 1;
                }
            }
            _ => {}
        }
    }
}

fn took(asked: Timestamp, given: Timestamp) -> SignedDuration {
    given.duration_since(asked)
}

/// Counts what the store has of grants.
///
/// # Errors
/// [`CliError`].
pub async fn run(
    since: Option<&str>,
    as_json: bool,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Exit, CliError> {
    let mut target = "/v1/events?limit=0&".to_owned();
    for kind in [Kind::GrantGive, Kind::GrantExpire, Kind::GrantRevoke] {
        target.push_str(&format!("kind={}&", encode(kind.word())));
    }
    if let Some(since) = since {
        target.push_str(&format!("since={}", encode(since)));
    }
    let mut stats = Stats::default();
    let mut lines = client.lines(&target).await?;
    while let Some(line) = lines.next().await? {
        match serde_json::from_str::<EventRecord>(&line) {
            Ok(event) => stats.count(&event),
            Err(_) => return Err(CliError::Stream(serde_json::from_str(&line)?)),
        }
    }
    if as_json {
        json::write(output, &stats)?;
        return Ok(Exit::Done);
    }
    output.line(&format!(
        "{} given; {} answered an act, {} of them within 3 seconds of it; {} without a reason",
        counted(stats.given, "grant"),
        stats.answered,
        stats.within_3s,
        stats.without_reason
    ))?;
    output.line(&format!(
        "{} expired, {} revoked; {} went through by those that are over, {} of them never used",
        stats.expired,
        stats.revoked,
        counted(stats.uses, "act"),
        stats.never_used
    ))?;
    for (by, given) in &stats.by {
        output.line(&format!("  {}: {given}", escape(by)))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{ActRecord, DecisionRecord};
    use crate::record::tests::sample;

    fn event(kind: Kind, seconds: i64, decision: DecisionRecord) -> EventRecord {
        let mut event = sample::event(0);
        event.time = sample::start() + SignedDuration::from_secs(seconds);
        event.act = ActRecord {
            decision: Some(Box::new(decision)),
            ..ActRecord::new(kind)
        };
        event
    }

    #[test]
    fn fast_silent_and_unused_grants_are_counted() {
        let given = |reason: Option<&str>, asked| DecisionRecord {
            reason: reason.map(str::to_owned),
            asked,
            ..DecisionRecord::default()
        };
        let over = |uses| DecisionRecord {
            uses: Some(uses),
            ..DecisionRecord::default()
        };
        let asked = Some(sample::start());
        let mut stats = Stats::default();
        for event in [
            event(Kind::GrantGive, 3, given(None, asked)),
            event(Kind::GrantGive, 4, given(Some("looked at it"), asked)),
            event(Kind::GrantGive, 1, given(None, None)),
            event(Kind::GrantExpire, 9, over(0)),
            event(Kind::GrantRevoke, 9, over(7)),
            sample::event(9),
        ] {
            stats.count(&event);
        }
        let expected = Stats {
            given: 3,
            answered: 2,
            within_3s: 1,
            without_reason: 2,
            expired: 1,
            revoked: 1,
            never_used: 1,
            uses: 7,
            by: BTreeMap::from([("nobody".to_owned(), 3)]),
        };
        assert_eq!(stats, expected);
    }
}
