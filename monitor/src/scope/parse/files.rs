//! `[files]`.

use super::{network::endpoints, section::Section};
use crate::scope::{
    error::Span,
    model::{FileRule, Files, PathEntry, Unless},
    sets::credentials,
    suggest,
};

pub(super) fn section(table: &Section<'_>) -> Files {
    table.allow_keys(&["default", "write", "write-default", "rule"]);
    Files {
        default: table.response("default").map(|(response, _)| response),
        write: table.bare_patterns("write"),
        write_default: table.response("write-default").map(|(response, _)| response),
        rules: table.tables("rule").iter().map(rule).collect(),
    }
}

fn rule(table: &Section<'_>) -> FileRule {
    table.allow_keys(&["paths", "access", "response", "weight", "reason", "unless"]);
    let mut paths = Vec::new();
    for (text, span) in table.some_strings("paths", "[\"@credentials\"]") {
        paths.extend(
            entries(table, &text, &span)
                .into_iter()
                .map(|entry| (entry, span.clone())),
        );
    }
    let only_sets = !paths.is_empty()
        && !paths
            .iter()
            .any(|(entry, _)| matches!(entry, PathEntry::Pattern(_)));
    let (response, rule) = table.rule(only_sets);
    FileRule {
        by_class: response.is_none(),
        rule,
        paths,
        access: table.access("access"),
        unless: table.tables("unless").iter().map(unless).collect(),
    }
}

/// A pattern, `@credentials`, or `@credentials/CLASS`.
fn entries(table: &Section<'_>, text: &str, span: &Span) -> Vec<PathEntry> {
    if !text.starts_with('@') {
        return table
            .pattern(text, span)
            .into_iter()
            .map(PathEntry::Pattern)
            .collect();
    }
    if text == "@credentials" {
        return vec![PathEntry::Credentials];
    }
    let ids: Vec<&str> = credentials::classes().iter().map(|class| class.id).collect();
    match text.strip_prefix("@credentials/") {
        Some(class) if ids.contains(&class) => return vec![PathEntry::CredentialClass(class.to_owned())],
        Some(class) => {
            let remedy = suggest::nearest(class, &ids).map_or_else(
                || "`scopeward scope show --set @credentials` lists the classes".to_owned(),
                |near| format!("did you mean `@credentials/{near}`?"),
            );
            table.error(
                span.clone(),
                format!("`@credentials` has no class `{class}`"),
                remedy,
            );
        }
        None => {
            let remedy =
                "the one set of paths is `@credentials`, also by class as `@credentials/ssh-private-keys`";
            table.error(span.clone(), format!("there is no set of paths `{text}`"), remedy);
        }
    }
    Vec::new()
}

fn unless(table: &Section<'_>) -> Unless {
    table.allow_keys(&["exe", "ancestor", "paths", "then-to"]);
    if table.value("exe").is_none() && table.value("ancestor").is_none() {
        table.error(
            table.span.clone(),
            "`unless` names no program, so it would sanction every one",
            "write `exe` or `ancestor`, or a rule of its own with `response = \"allow\"` for these paths",
        );
    }
    Unless {
        exe: table.bare_patterns("exe"),
        ancestor: table.bare_patterns("ancestor"),
        paths: table.bare_patterns("paths"),
        then_to: endpoints(table, table.strings("then-to"))
            .into_iter()
            .map(|(endpoint, _)| endpoint)
            .collect(),
        span: table.span.clone(),
    }
}
