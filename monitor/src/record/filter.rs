//! Which events a question is about: the same answer for what is stored and for what happens now.

use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::event::EventRecord;
use crate::scope::words::{Kind, Response};

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// By time, the earliest first.
    #[default]
    Oldest,
    /// By time, the latest first.
    Newest,
}

/// What an event must be to be an answer. An empty list asks nothing; entries of one list are alternatives;
/// different fields must all hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The event's id, or the beginning of one (upper or lower case).
    pub id: Option<String>,
    /// Agents, by name.
    pub agent: Vec<String>,
    /// Sessions, by id.
    pub session: Vec<String>,
    /// Owners, by name or by decimal user id.
    pub owner: Vec<String>,
    /// Only sessions of this user id: the limit of somebody who may read only their own.
    pub owner_uid: Option<u32>,
    /// Kinds of acts.
    pub kind: Vec<Kind>,
    /// Verdicts: called for, or applied.
    pub verdict: Vec<Response>,
    /// Not earlier than this.
    pub since: Option<Timestamp>,
    /// Earlier than this.
    pub until: Option<Timestamp>,
    /// Paths of the object (either one of a rename or link).
    pub path: Option<Pattern>,
    /// The remote end: name or address; or the name of the machine that recorded it.
    pub host: Option<Pattern>,
    /// At most this many, counted from the end that `order` puts first; `None` for all.
    pub limit: Option<usize>,
    /// Which end comes first.
    pub order: Order,
}

impl Filter {
    /// True where `event` is an answer. `limit` and `order` are not looked at.
    #[must_use]
    pub fn matches(&self, event: &EventRecord) -> bool {
        self.id
            .as_deref()
            .is_none_or(|prefix| starts_with_ignoring_case(&event.id, prefix))
            && self.matches_time(event.time)
            && self.matches_session(&event.session)
            && (self.kind.is_empty() || self.kind.contains(&event.act.kind))
            && self.matches_verdict(event.verdict.called_for, event.verdict.applied)
            && self.path.as_ref().is_none_or(|pattern| {
                [&event.act.path, &event.act.to]
                    .into_iter()
                    .flatten()
                    .any(|path| pattern.matches(path))
            })
            && self.host.as_ref().is_none_or(|pattern| {
                pattern.matches(&event.host.name)
                    || event.act.name.as_ref().is_some_and(|name| pattern.matches(name))
                    || event
                        .act
                        .address
                        .is_some_and(|address| pattern.matches(&address.to_string()))
            })
    }

    /// True where the session is one that the filter asks for.
    #[must_use]
    pub fn matches_session(&self, session: &crate::record::event::SessionRef) -> bool {
        (self.agent.is_empty() || self.agent.contains(&session.agent))
            && (self.session.is_empty() || self.session.contains(&session.id))
            && self.owner_uid.is_none_or(|uid| uid == session.owner.uid)
            && (self.owner.is_empty()
                || self.owner.iter().any(|owner| {
                    session.owner.name.as_ref() == Some(owner) || owner.parse() == Ok(session.owner.uid)
                }))
    }

    /// True where `time` lies in the window.
    #[must_use]
    pub fn matches_time(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    /// True where one of the two responses is asked for.
    #[must_use]
    pub fn matches_verdict(&self, called_for: Response, applied: Response) -> bool {
        self.verdict.is_empty() || self.verdict.contains(&called_for) || self.verdict.contains(&applied)
    }
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// A glob, or the beginning of a path or name.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    glob: Option<GlobMatcher>,
}

/// A pattern that is not a glob.
#[derive(Debug, thiserror::Error)]
#[error("read {text:?} as a pattern: {source}")]
pub struct PatternError {
    text: String,
    source: globset::Error,
}

impl Pattern {
    /// Reads a pattern: with `*`, `?`, `[` or `{` it is a glob over the whole text (`*` stops at `/`, `**` does
    /// not); otherwise it is the whole text, or its beginning up to a `/`.
    ///
    /// # Errors
    /// Where the glob is malformed.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let glob = if text.contains(['*', '?', '[', '{']) {
            let glob = GlobBuilder::new(text).literal_separator(true).build();
            let glob = glob.map_err(|source| PatternError {
                text: text.to_owned(),
                source,
            })?;
            Some(glob.compile_matcher())
        } else {
            None
        };
        Ok(Self {
            text: text.to_owned(),
            glob,
        })
    }

    /// True where the pattern holds for `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.glob {
            Some(glob) => glob.is_match(text),
            None => text.strip_prefix(&self.text).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('/') || self.text.is_empty() || self.text.ends_with('/')
            }),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_glob_or_a_beginning() {
        let table = [
            ("/home/dev", "/home/dev", true),
            ("/home/dev", "/home/dev/.netrc", true),
            ("/home/dev", "/home/developer", false),
            ("/home/dev/", "/home/dev/x", true),
            ("/home/*/.netrc", "/home/dev/.netrc", true),
            ("/home/*", "/home/dev/.netrc", false),
            ("/home/**", "/home/dev/.netrc", true),
            ("**/.env", "/srv/a/.env", true),
            ("*.example.org", "a.example.org", true),
            ("10.0.0.1", "10.0.0.10", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(text),
                expected,
                "{pattern} on {text}"
            );
        }
        assert!(Pattern::parse("a[").is_err());
    }
}
