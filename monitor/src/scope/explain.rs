//! The scope that holds, as text for people.

use std::fmt::Write;

use super::{
    diff::{budget, matched},
    effective::Effective,
    model::AfterFreeze,
    sets::credentials::CredentialClass,
    statements::{EVERYTHING_ELSE, Statement, statements},
    words::{Mode, Response},
};

/// The longest list of things in one line, in characters.
const LINE: usize = 100;

/// The whole scope: what it is, then section by section, stronger answers first. Ends with a line feed.
#[must_use]
pub fn explain(scope: &Effective) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        text += &words;
        text.push('\n');
    };
    let title = scope
        .description
        .as_ref()
        .map_or_else(String::new, |words| format!(": {words}"));
    line(format!("{}{title}", scope.name));
    let mode = match scope.mode {
        Mode::Observe => "observe: decides and records, changes nothing",
        Mode::Enforce => "enforce",
    };
    line(format!("  mode      {mode}"));
    if let Some(owner) = &scope.owner {
        line(format!("  owner     {owner}"));
    }
    if let Some(expires) = scope.expires {
        line(format!("  expires   {expires}, then {}", scope.on_expiry.word()));
    }
    if !scope.fragments.is_empty() {
        line(format!("  builds on {}", scope.fragments.join(", ")));
    }
    for one in &scope.matches {
        line(format!("  match     {}", matched(one)));
    }
    for one in &scope.budgets {
        line(format!("  budget    {}", budget(one)));
    }
    let after = match scope.freeze.then {
        AfterFreeze::Kill => "kill",
        AfterFreeze::Thaw => "thaw",
        AfterFreeze::Freeze => "stay frozen",
    };
    line(format!(
        "  freeze    {} without a decision, then {after}",
        humantime::format_duration(scope.freeze.timeout)
    ));
    let all = statements(scope);
    for section in ["network", "files", "exec", "sockets", "processes", "session"] {
        let of: Vec<&Statement> = all
            .iter()
            .filter(|statement| statement.section == section)
            .collect();
        line(format!("\n[{section}]"));
        sections(&of, &mut line);
    }
    text
}

/// Statements of one rule stand together; the section's default comes last.
fn sections(of: &[&Statement], line: &mut impl FnMut(String)) {
    let mut groups: Vec<Vec<&Statement>> = Vec::new();
    for statement in of {
        let same = |group: &&mut Vec<&Statement>| {
            let first = group[0];
            let apart = |s: &Statement| s.about == EVERYTHING_ELSE || s.about.starts_with("@credentials/");
            !apart(first)
                && !apart(statement)
                && first.rule == statement.rule
                && first.access == statement.access
        };
        match groups.last_mut().filter(same) {
            Some(group) => group.push(statement),
            None => groups.push(vec![statement]),
        }
    }
    groups.sort_by_key(|group| {
        (
            group[0].about == EVERYTHING_ELSE,
            std::cmp::Reverse(group[0].response),
        )
    });
    for group in groups {
        let first = group[0];
        let access = first
            .access
            .filter(|access| *access != "read, write")
            .map_or_else(String::new, |a| format!("{a} "));
        let about: Vec<&str> = group.iter().map(|statement| statement.about.as_str()).collect();
        let mut lines = wrapped(&about).into_iter();
        let weight = if first.response == Response::Allow {
            String::new()
        } else {
            format!(", weight {}", first.weight)
        };
        line(format!(
            "  {:7} {access}{}",
            first.response.word(),
            lines.next().unwrap_or_default()
        ));
        lines.for_each(|more| line(format!("          {more}")));
        let reason = first
            .reason
            .as_ref()
            .map_or_else(String::new, |reason| format!(": {reason}"));
        line(format!("            {}{weight}{reason}", first.rule));
        for unless in &first.unless {
            line(format!("            unless {unless}"));
        }
    }
}

fn wrapped(items: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let comma = if n + 1 < items.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.chars().count() + item.chars().count() < LINE => {
                line.push(' ');
                line.push_str(item);
                line.push_str(comma);
            }
            _ => lines.push(format!("{item}{comma}")),
        }
    }
    lines
}

/// The catalogue, class by class. Ends with a line feed.
#[must_use]
pub fn explain_credentials(classes: &[CredentialClass]) -> String {
    let mut text = String::new();
    for class in classes {
        let mut put = |words: String| writeln!(text, "{words}").unwrap_or_default();
        put(format!("@credentials/{}: {}", class.id, class.title));
        let access = match (class.read, class.write) {
            (true, false) => "read",
            (false, true) => "write",
            _ => "read, write",
        };
        let mut traits = vec![format!("{access}: {}", class.response.word())];
        if class.guard {
            traits.push("covered by every rule that names @credentials".into());
        }
        if class.rotate {
            traits.push("to be rotated after a foreign read".into());
        }
        if let Some(of) = &class.exempt_of {
            traits.push(format!("carved out of {of}"));
        }
        put(format!("  {}", traits.join(" · ")));
        let paths: Vec<String> = class.paths.iter().map(ToString::to_string).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        for line in wrapped(&paths) {
            put(format!("    {line}"));
        }
        for reader in &class.readers {
            let exe: Vec<String> = reader.exe.iter().map(ToString::to_string).collect();
            let exe: Vec<&str> = exe.iter().map(String::as_str).collect();
            let mut lines = wrapped(&exe).into_iter();
            put(format!("    unless {}", lines.next().unwrap_or_default()));
            lines.for_each(|more| put(format!("           {more}")));
        }
    }
    text
}
