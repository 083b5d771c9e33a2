//! Readers for the values of a table. Each reports what it cannot take, and gives `None` or an empty list then.

use std::time::Duration;

use toml::{Spanned, de::DeValue};

use super::section::Section;
use crate::scope::{
    error::Span,
    model::Rule,
    pattern::PathPattern,
    suggest,
    words::{Access, Mode, Response},
};

/// The largest weight of one cut.
const WEIGHT_MAX: u32 = 1_000_000;

impl Section<'_> {
    pub(super) fn string(&self, key: &str) -> Option<(String, Span)> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text.to_string(), value.span())),
            other => {
                self.wrong_type(value, other, "a string in quotes");
                None
            }
        }
    }

    /// A list of strings; one string stands for a list of one.
    pub(super) fn strings(&self, key: &str) -> Vec<(String, Span)> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let one = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
            DeValue::String(text) => Some((text.to_string(), item.span())),
            other => {
                self.wrong_type(item, other, "a string in quotes");
                None
            }
        };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().filter_map(one).collect(),
            _ => one(value).into_iter().collect(),
        }
    }

    /// A list that has to be there and not be empty.
    pub(super) fn some_strings(&self, key: &str, example: &str) -> Vec<(String, Span)> {
        let given = self.strings(key);
        let empty_list = self
            .value(key)
            .is_some_and(|v| v.get_ref().as_array().is_some_and(|list| list.is_empty()));
        if self.value(key).is_none() || empty_list {
            let span = self.value(key).map_or_else(|| self.span.clone(), Spanned::span);
            self.error(
                span,
                format!("{} names no `{key}`", self.name),
                format!("write `{key} = {example}`"),
            );
        }
        given
    }

    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        let given = value.get_ref().as_bool();
        if given.is_none() {
            self.wrong_type(value, value.get_ref(), "true or false");
        }
        given
    }

    /// An integer from `least` to `most`.
    pub(super) fn integer(&self, key: &str, least: u32, most: u32) -> Option<u32> {
        let value = self.value(key)?;
        let Some(number) = value.get_ref().as_integer() else {
            self.wrong_type(value, value.get_ref(), "an integer");
            return None;
        };
        let parsed = i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|n| u32::try_from(n).ok());
        let fits = parsed.filter(|n| (least..=most).contains(n));
        if fits.is_none() {
            self.error(
                value.span(),
                format!("`{key}` is {number}"),
                format!("write a number from {least} to {most}"),
            );
        }
        fits
    }

    /// One word of a closed list.
    pub(super) fn word<T: Copy>(&self, key: &str, known: &[(&str, T)]) -> Option<(T, Span)> {
        let (given, span) = self.string(key)?;
        let found = known
            .iter()
            .find(|(word, _)| *word == given)
            .map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.error(
                span.clone(),
                format!("`{key}` cannot be `{given}`"),
                word_remedy(&given, &words),
            );
        }
        found.map(|meaning| (meaning, span))
    }

    pub(super) fn response(&self, key: &str) -> Option<(Response, Span)> {
        self.word(key, &Response::ALL.map(|response| (response.word(), response)))
    }

    pub(super) fn mode(&self, key: &str) -> Option<Mode> {
        self.word(key, &[("observe", Mode::Observe), ("enforce", Mode::Enforce)])
            .map(|(mode, _)| mode)
    }

    /// `read` and `write`; both where nothing is written.
    pub(super) fn access(&self, key: &str) -> Vec<Access> {
        let mut access = Vec::new();
        for (word, span) in self.strings(key) {
            match word.as_str() {
                "read" => access.push(Access::Read),
                "write" => access.push(Access::Write),
                _ => self.error(
                    span,
                    format!("there is no access `{word}`"),
                    word_remedy(&word, &["read", "write"]),
                ),
            }
        }
        if let Some(value) = self
            .value(key)
            .filter(|v| v.get_ref().as_array().is_some_and(|list| list.is_empty()))
        {
            self.error(
                value.span(),
                "a rule about no access",
                "leave `access` out for both, or name one",
            );
        }
        access.sort_unstable();
        access.dedup();
        if access.is_empty() {
            vec![Access::Read, Access::Write]
        } else {
            access
        }
    }

    /// A length of time such as `15m`, from a second to 366 days.
    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        let (text, span) = self.string(key)?;
        let range = Duration::from_secs(1)..=Duration::from_hours(366 * 24);
        match humantime::parse_duration(&text) {
            Ok(length) if range.contains(&length) => return Some(length),
            Ok(_) => self.error(span, format!("`{key}` is {text}"), "write from `1s` to `366d`"),
            Err(_) => self.error(
                span,
                format!("`{text}` is not a length of time"),
                "write `30s`, `15m`, `2h` or `7d`",
            ),
        }
        None
    }

    pub(super) fn timestamp(&self, key: &str) -> Option<(jiff::Timestamp, Span)> {
        let value = self.value(key)?;
        let Some(given) = value.get_ref().as_datetime() else {
            self.wrong_type(
                value,
                value.get_ref(),
                "a date without quotes, as 2027-01-31T00:00:00Z",
            );
            return None;
        };
        if given.offset.is_none() {
            let remedy = match (given.date, given.time) {
                (Some(date), Some(time)) => format!("write `{date}T{time}Z` for UTC, or another offset"),
                (Some(date), None) => format!("write `{date}T00:00:00Z`"),
                _ => "write a whole date, as `2027-01-31T00:00:00Z`".into(),
            };
            self.error(value.span(), format!("`{key}` has no time zone"), remedy);
            return None;
        }
        match given.to_string().parse() {
            Ok(timestamp) => Some((timestamp, value.span())),
            Err(_) => {
                self.error(
                    value.span(),
                    format!("`{key}` is out of range"),
                    "write a year from 1 to 9999",
                );
                None
            }
        }
    }

    /// Path patterns, each with its place. A text with braces gives several.
    pub(super) fn patterns(&self, key: &str) -> Vec<(PathPattern, Span)> {
        let mut patterns = Vec::new();
        for (text, span) in self.strings(key) {
            patterns.extend(
                self.pattern(&text, &span)
                    .into_iter()
                    .map(|pattern| (pattern, span.clone())),
            );
        }
        patterns
    }

    pub(super) fn bare_patterns(&self, key: &str) -> Vec<PathPattern> {
        self.patterns(key)
            .into_iter()
            .map(|(pattern, _)| pattern)
            .collect()
    }

    pub(super) fn pattern(&self, text: &str, span: &Span) -> Vec<PathPattern> {
        if text.starts_with('@') {
            let remedy = "write paths here; `@credentials` can stand in `paths` of a `[[files.rule]]`";
            self.error(span.clone(), format!("`{text}` is a set, not a path"), remedy);
            return Vec::new();
        }
        PathPattern::parse_all(text).unwrap_or_else(|error| {
            self.error(span.clone(), error.to_string(), error.remedy());
            Vec::new()
        })
    }

    /// Response, weight and reason. `None` as the response only where it is missing and `optional`.
    pub(super) fn rule(&self, optional: bool) -> (Option<Response>, Rule) {
        let response = self.response("response").map(|(response, _)| response);
        if self.value("response").is_none() && !optional {
            self.error(
                self.span.clone(),
                format!("{} has no `response`", self.name),
                "write `response = \"flag\"`, or `allow`, `deny`, `freeze`, `kill`",
            );
        }
        let rule = Rule {
            response: response.unwrap_or(Response::Flag),
            weight: self.integer("weight", 0, WEIGHT_MAX),
            reason: self.string("reason").map(|(text, _)| text),
            span: self.span.clone(),
        };
        (response, rule)
    }
}

/// Words that other tools use for what is meant here.
fn word_remedy(given: &str, known: &[&str]) -> String {
    let meant = match given {
        "block" | "reject" | "drop" | "refuse" => "deny",
        "alert" | "warn" | "log" | "audit" | "notify" => "flag",
        "terminate" | "sigkill" => "kill",
        "pause" | "suspend" | "stop" => "freeze",
        "permit" | "accept" | "ok" => "allow",
        "dry-run" | "monitor" | "learn" => "observe",
        "enforcing" => "enforce",
        _ => return suggest::did_you_mean(given, known),
    };
    if known.contains(&meant) {
        format!("write `{meant}`")
    } else {
        suggest::did_you_mean(given, known)
    }
}
