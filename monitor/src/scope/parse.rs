//! From the text of a scope file to a [`Scope`], or to every error in it.

mod acts;
mod exec;
mod files;
mod matches;
mod network;
mod section;
mod values;

use std::path::Path;

use toml::{Spanned, de::DeTable};

use self::section::{Findings, Section};
use super::{
    error::{ScopeError, ScopeErrors},
    model::Scope,
};

/// The keys at the top of a scope file.
const TOP: [&str; 17] = [
    "name",
    "description",
    "mode",
    "owner",
    "expires",
    "on-expiry",
    "extends",
    "strict",
    "match",
    "network",
    "files",
    "exec",
    "sockets",
    "processes",
    "session",
    "budget",
    "freeze",
];

/// The longest scope name, in bytes.
const NAME_MAX: usize = 64;

/// Reads a scope file. `file` is its name, for messages, and gives the scope its name where the file has none.
///
/// # Errors
/// Every error in the file, each with its place and what to write instead; a TOML syntax error stands alone.
pub fn parse(file: &str, source: &str) -> Result<Scope, ScopeErrors> {
    let document = match DeTable::parse(source) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let found = ScopeError::new(
                span,
                error.message().trim_end(),
                "correct the TOML; nothing after it was read",
            );
            return Err(ScopeErrors::new(file, source, vec![found]));
        }
    };
    let findings = Findings::default();
    let scope = scope(file, &document, &findings);
    let errors = findings.into_errors();
    if errors.is_empty() {
        Ok(scope)
    } else {
        Err(ScopeErrors::new(file, source, errors))
    }
}

fn scope(file: &str, document: &Spanned<DeTable<'_>>, findings: &Findings) -> Scope {
    let top = Section::new(document.get_ref(), "the scope file", 0..0, findings);
    top.allow_keys(&TOP);
    let child = |key: &'static str| top.table(key);
    Scope {
        name: name(file, &top),
        description: top.string("description").map(|(text, _)| text),
        mode: top.mode("mode"),
        owner: top.string("owner").map(|(text, _)| text),
        expires: top.timestamp("expires"),
        on_expiry: top.response("on-expiry").map(|(response, _)| response),
        extends: top.strings("extends"),
        strict: top.boolean("strict").unwrap_or(false),
        matches: top.tables("match").iter().map(matches::one).collect(),
        network: child("network").map(|t| network::section(&t)).unwrap_or_default(),
        files: child("files").map(|t| files::section(&t)).unwrap_or_default(),
        exec: child("exec").map(|t| exec::section(&t)).unwrap_or_default(),
        sockets: child("sockets").map(|t| exec::sockets(&t)).unwrap_or_default(),
        processes: child("processes")
            .map(|t| acts::processes(&t))
            .unwrap_or_default(),
        session: child("session").map(|t| acts::session(&t)).unwrap_or_default(),
        budgets: top.tables("budget").iter().filter_map(acts::budget).collect(),
        tightens: acts::tightens(&top.tables("budget")),
        freeze: child("freeze").map(|t| acts::freeze(&t)),
    }
}

/// The written name, else the file's stem.
fn name(file: &str, top: &Section<'_>) -> String {
    let written = top.string("name");
    let stem = Path::new(file)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
        .to_owned();
    let (name, span) = written.unwrap_or((stem, 0..0));
    let first_ok = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest_ok = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if !first_ok || !rest_ok || name.len() > NAME_MAX {
        top.error(
            span,
            format!("`{name}` is not a name for a scope"),
            "write `name = \"my-agent\"`: lower case letters, digits, `.`, `_` and `-`, at most 64",
        );
    }
    name
}
