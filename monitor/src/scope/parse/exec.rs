//! `[exec]` and `[sockets]`.

use super::section::Section;
use crate::scope::{
    argv::ArgvGlob,
    error::Span,
    model::{Exec, ExecRule, SocketPattern, SocketRule, Sockets},
    name_glob::NameGlob,
    sets::sockets,
    suggest,
};

/// The longest abstract socket name, in bytes.
const ABSTRACT_MAX: usize = 107;

pub(super) fn section(table: &Section<'_>) -> Exec {
    table.allow_keys(&["default", "rule"]);
    Exec {
        default: table.response("default").map(|(response, _)| response),
        rules: table.tables("rule").iter().map(rule).collect(),
    }
}

fn rule(table: &Section<'_>) -> ExecRule {
    table.allow_keys(&["exe", "argv", "response", "weight", "reason"]);
    if table.value("exe").is_none() && table.value("argv").is_none() {
        table.error(
            table.span.clone(),
            format!("{} names no program", table.name),
            "write `exe` or `argv`",
        );
    }
    ExecRule {
        rule: table.rule(false).1,
        exe: table.patterns("exe"),
        argv: argv(table),
    }
}

/// Patterns for arguments.
pub(super) fn argv(table: &Section<'_>) -> Vec<(ArgvGlob, Span)> {
    let mut globs = Vec::new();
    for (text, span) in table.strings("argv") {
        match ArgvGlob::new(text) {
            Some(glob) => globs.push((glob, span)),
            None => table.error(
                span,
                "an empty pattern for arguments",
                "write `* --flag*`; `*` stands for anything",
            ),
        }
    }
    globs
}

pub(super) fn sockets(table: &Section<'_>) -> Sockets {
    table.allow_keys(&["default", "rule"]);
    Sockets {
        default: table.response("default").map(|(response, _)| response),
        rules: table.tables("rule").iter().map(socket_rule).collect(),
    }
}

fn socket_rule(table: &Section<'_>) -> SocketRule {
    table.allow_keys(&["path", "response", "weight", "reason"]);
    let mut path = Vec::new();
    for (text, span) in table.some_strings("path", "[\"/run/docker.sock\"]") {
        path.extend(
            socket(table, &text, &span)
                .into_iter()
                .map(|pattern| (pattern, span.clone())),
        );
    }
    SocketRule {
        rule: table.rule(false).1,
        path,
    }
}

fn socket(table: &Section<'_>, text: &str, span: &Span) -> Vec<SocketPattern> {
    let Some(name) = text.strip_prefix('@') else {
        return table
            .pattern(text, span)
            .into_iter()
            .map(SocketPattern::Path)
            .collect();
    };
    if let Some(classes) = sockets::named(text) {
        return classes.into_iter().flat_map(|class| class.path.clone()).collect();
    }
    if text
        .strip_prefix(sockets::NAME)
        .is_some_and(|rest| rest.starts_with('/'))
    {
        let known: Vec<String> = sockets::classes()
            .iter()
            .map(|class| format!("{}/{}", sockets::NAME, class.id))
            .collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let message = format!("there is no set `{text}`");
        table.error(span.clone(), message, suggest::did_you_mean(text, &known));
        return Vec::new();
    }
    match NameGlob::parse(name) {
        Some(glob) if !name.is_empty() && name.len() <= ABSTRACT_MAX => vec![SocketPattern::Abstract(glob)],
        Some(_) => {
            let remedy = "write `@` and 1 to 107 bytes";
            table.error(
                span.clone(),
                format!("`{text}` cannot be an abstract socket's name"),
                remedy,
            );
            Vec::new()
        }
        None => {
            let remedy = "one `*` in a name, as `@cursor-*`";
            table.error(span.clone(), format!("`{text}` has more than one `*`"), remedy);
            Vec::new()
        }
    }
}
