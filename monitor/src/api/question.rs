//! The query string of `GET /v1/events`, both ways: what the client writes is what the server reads.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};

use crate::api::moment::parse_moment;
use crate::record::filter::{Filter, Order, Pattern};
use crate::scope::words::{Kind, Response};

/// What is wrong with a query string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct QuestionError {
    /// One sentence.
    pub error: String,
    /// What to write instead.
    pub remedy: String,
}

/// The parameters that are understood.
const PARAMETERS: &str = "agent, session, owner, kind, verdict (each may be repeated), since, until, path, host, limit, order, follow";

/// Most characters of one value.
const MOST_CHARACTERS: usize = 4_096;

/// A question about events, and whether those to come are asked for as well.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Which events.
    pub filter: Filter,
    /// Stay, and send what happens from now on.
    pub follow: bool,
}

impl Question {
    /// Reads the decoded pairs of a query string.
    ///
    /// # Errors
    /// [`QuestionError`]: an unknown parameter, or a value that cannot be read.
    pub fn read(pairs: &[(String, String)], now: Timestamp) -> Result<Self, QuestionError> {
        let mut question = Self::default();
        for (key, value) in pairs {
            question.set(key, value, now)?;
        }
        Ok(question)
    }

    fn set(&mut self, key: &str, value: &str, now: Timestamp) -> Result<(), QuestionError> {
        let Self { filter, follow } = self;
        let wrong = |error: String, remedy: &str| QuestionError {
            error,
            remedy: remedy.to_owned(),
        };
        if value.len() > MOST_CHARACTERS {
            return Err(wrong(
                format!("the value of {key:?} is too long"),
                "4,096 characters at most",
            ));
        }
        let moment = || {
            parse_moment(value, now, &TimeZone::UTC).map(Some).map_err(|_| {
                wrong(
                    format!("{key} is {value:?}, which is no time"),
                    "2026-11-22T06:00:00Z, or 10m for ten minutes ago",
                )
            })
        };
        let pattern = || {
            Pattern::parse(value).map(Some).map_err(|_| {
                wrong(
                    format!("{key} is {value:?}, which is no pattern"),
                    "a path or name, its beginning, or a glob with * and **",
                )
            })
        };
        match key {
            "agent" => filter.agent.push(value.to_owned()),
            "session" => filter.session.push(value.to_owned()),
            "owner" => filter.owner.push(value.to_owned()),
            "kind" => filter.kind.push(parse_kind(value)?),
            "verdict" => filter.verdict.push(parse_verdict(value)?),
            "since" => filter.since = moment()?,
            "until" => filter.until = moment()?,
            "path" => filter.path = pattern()?,
            "host" => filter.host = pattern()?,
            "limit" => {
                let limit = parse::<usize>(key, value, "a whole number; 0 for all")?;
                filter.limit = limit.filter(|limit| *limit > 0);
            }
            "order" => {
                filter.order = match value {
                    "oldest" => Order::Oldest,
                    "newest" => Order::Newest,
                    _ => return Err(wrong(format!("order is {value:?}"), "oldest or newest")),
                };
            }
            "follow" => *follow = parse(key, value, "true or false")?.unwrap_or(false),
            _ => return Err(wrong(format!("there is no parameter {key:?}"), PARAMETERS)),
        }
        Ok(())
    }

    /// As a query string, without the `?`.
    #[must_use]
    pub fn write(&self) -> String {
        let filter = &self.filter;
        let mut pairs: Vec<(&str, String)> = Vec::new();
        pairs.extend(filter.agent.iter().map(|value| ("agent", value.clone())));
        pairs.extend(filter.session.iter().map(|value| ("session", value.clone())));
        pairs.extend(filter.owner.iter().map(|value| ("owner", value.clone())));
        pairs.extend(filter.kind.iter().map(|kind| ("kind", kind.word().to_owned())));
        pairs.extend(
            filter
                .verdict
                .iter()
                .map(|verdict| ("verdict", verdict.word().to_owned())),
        );
        pairs.extend(filter.since.map(|time| ("since", time.to_string())));
        pairs.extend(filter.until.map(|time| ("until", time.to_string())));
        pairs.extend(
            filter
                .path
                .as_ref()
                .map(|pattern| ("path", pattern.text().to_owned())),
        );
        pairs.extend(
            filter
                .host
                .as_ref()
                .map(|pattern| ("host", pattern.text().to_owned())),
        );
        pairs.extend(filter.limit.map(|limit| ("limit", limit.to_string())));
        pairs.extend((filter.order == Order::Newest).then(|| ("order", "newest".to_owned())));
        pairs.extend(self.follow.then(|| ("follow", "true".to_owned())));
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| format!("{key}={}", encode(value)))
            .collect();
        pairs.join("&")
    }
}

fn parse<T: FromStr>(key: &str, value: &str, remedy: &str) -> Result<Option<T>, QuestionError> {
    let error = || QuestionError {
        error: format!("{key} is {value:?}"),
        remedy: remedy.to_owned(),
    };
    value.parse().map(Some).map_err(|_| error())
}

/// Reads the word of a kind of act, as `file.open`.
///
/// # Errors
/// [`QuestionError`], with all kinds.
pub fn parse_kind(word: &str) -> Result<Kind, QuestionError> {
    parse_word(word, "kind", &Kind::ALL.map(Kind::word))
}

/// Reads the word of a response, as `kill`.
///
/// # Errors
/// [`QuestionError`], with all responses.
pub fn parse_verdict(word: &str) -> Result<Response, QuestionError> {
    parse_word(word, "verdict", &Response::ALL.map(Response::word))
}

fn parse_word<T: serde::de::DeserializeOwned>(
    word: &str,
    what: &str,
    words: &[&str],
) -> Result<T, QuestionError> {
    let deserializer: StrDeserializer<'_, WordError> = word.into_deserializer();
    T::deserialize(deserializer).map_err(|_| QuestionError {
        error: format!("there is no {what} {word:?}"),
        remedy: format!("one of {}", words.join(", ")),
    })
}

/// `text` as it may stand in a path or in a query string: everything but letters, digits and `-._~` percent-encoded.
#[must_use]
pub fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Question, QuestionError> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(
            &format!("/?{text}").parse().unwrap(),
        );
        Question::read(&pairs.unwrap().0, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let text = "agent=claude&agent=codex&session=s-1&owner=dev&kind=file.open&kind=net.connect&verdict=kill\
                    &since=2026-11-22T06%3A00%3A00Z&until=2026-11-23T06%3A00%3A00Z&path=%2Fhome%2F%2A%2F%C3%A9%20%26\
                    &host=%2A.org&limit=5&order=newest&follow=true";
        assert_eq!(read(text).unwrap().write(), text);
        assert_eq!(read("").unwrap().write(), "");
        assert_eq!(read("limit=0").unwrap().filter.limit, None);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, part) in [
            ("knd=file.open", "no parameter \"knd\""),
            ("kind=file.opened", "no kind"),
            ("verdict=maybe", "no verdict"),
            ("since=soon", "no time"),
            ("path=a%5B", "no pattern"),
            ("limit=-1", "limit is"),
            ("order=up", "order is"),
            ("follow=1", "follow is"),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.error.contains(part) && !error.remedy.is_empty(),
                "{error:?}"
            );
        }
    }
}
