//! `[[match]]`.

use toml::de::DeValue;

use super::{exec::argv, section::Section};
use crate::scope::{model::Match, name_glob::NameGlob};

const KEYS: [&str; 5] = ["exe", "argv", "unit", "cgroup", "user"];

pub(super) fn one(table: &Section<'_>) -> Match {
    table.allow_keys(&KEYS);
    if KEYS.iter().all(|key| table.value(key).is_none()) {
        let remedy = "write `exe`, `argv`, `unit`, `cgroup` or `user`";
        table.error(
            table.span.clone(),
            "`[[match]]` names nothing, so every process would fit",
            remedy,
        );
    }
    Match {
        exe: table.bare_patterns("exe"),
        argv: argv(table).into_iter().map(|(glob, _)| glob).collect(),
        unit: unit(table),
        cgroup: cgroup(table),
        user: user(table),
    }
}

fn unit(table: &Section<'_>) -> Option<NameGlob> {
    let (text, span) = table.string("unit")?;
    let suffix_known = [".service", ".scope", ".slice"]
        .iter()
        .any(|suffix| text.ends_with(suffix));
    if !suffix_known {
        let message = format!("`{text}` is not the name of a unit that has processes");
        table.error(
            span.clone(),
            message,
            format!("write `{text}.service`, or a `.scope` or `.slice`"),
        );
    }
    let glob = NameGlob::parse(&text);
    if glob.is_none() {
        table.error(
            span,
            format!("`{text}` has more than one `*`"),
            "one `*` in a name, as `agent@*.service`",
        );
    }
    glob
}

fn cgroup(table: &Section<'_>) -> Option<crate::scope::pattern::PathPattern> {
    let (text, span) = table.string("cgroup")?;
    if !text.starts_with('/') {
        let bare = text.trim_start_matches("./");
        let message = format!("`{text}` does not start at the root of cgroup v2");
        table.error(span, message, format!("write `/{bare}`, as in /proc/PID/cgroup"));
        return None;
    }
    table.pattern(&text, &span).into_iter().next()
}

/// A name, or a number with or without quotes.
fn user(table: &Section<'_>) -> Option<String> {
    let value = table.value("user")?;
    match value.get_ref() {
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::String(text) if !text.is_empty() => Some(text.to_string()),
        other => {
            table.wrong_type(value, other, "a user's name or number");
            None
        }
    }
}
