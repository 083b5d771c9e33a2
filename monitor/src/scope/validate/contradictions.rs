//! Rules that never decide, and settings without an effect.

use std::collections::HashMap;

use crate::scope::{
    effective::Effective,
    error::{ScopeError, Span},
    model::{FileRule, PathEntry, Scope},
    pattern::PathPattern,
    words::{Access, Mode, Response},
};

/// Everything in one file, in no order.
pub(super) fn findings(scope: &Scope, effective: &Effective, now: jiff::Timestamp) -> Vec<ScopeError> {
    let mut found = Vec::new();
    unreachable_rules(&file_entries(scope), &mut found);
    unreachable_rules(&endpoint_entries(scope), &mut found);
    unreachable_rules(&program_entries(scope), &mut found);
    unreachable_rules(&socket_entries(scope), &mut found);
    for (n, rule) in scope.files.rules.iter().enumerate() {
        files(n, rule, &mut found);
    }
    for (n, rule) in scope.exec.rules.iter().enumerate() {
        if !rule.argv.is_empty() && rule.rule.response == Response::Allow {
            let message = format!(
                "exec.rule[{n}] allows by arguments, which are seen only after the program was judged"
            );
            found.push(ScopeError::new(
                rule.rule.span.clone(),
                message,
                "allow the program with `exe` alone",
            ));
        }
    }
    if let Some((at, span)) = &scope.expires
        && *at <= now
    {
        let message = format!(
            "the scope expired at {at}; `on-expiry = \"{}\"` holds",
            effective.on_expiry.word()
        );
        found.push(ScopeError::new(
            span.clone(),
            message,
            "write a later date, or take `expires` out",
        ));
    }
    without_effect(scope, effective, &mut found);
    found
}

fn without_effect(scope: &Scope, effective: &Effective, found: &mut Vec<ScopeError>) {
    let network = &effective.network;
    let all_allowed = network.default.response == Response::Allow
        && network
            .rules
            .iter()
            .all(|rule| rule.rule.response == Response::Allow);
    if let Some((_, span)) = scope.network.allow.first().filter(|_| all_allowed) {
        let remedy = "write `default = \"deny\"` in [network] to hold the agent to the list";
        found.push(ScopeError::new(
            span.clone(),
            "`allow` changes nothing while everything is allowed",
            remedy,
        ));
    }
    if !scope.files.write.is_empty() && effective.files.write_default.is_none() {
        let remedy = "write `write-default = \"flag\"` in [files] to hear of writes elsewhere";
        found.push(ScopeError::new(
            0..0,
            "`write` changes nothing without `write-default`",
            remedy,
        ));
    }
    let stops = effective.files.rules.iter().map(|rule| rule.rule.response);
    let stops = stops
        .chain(network.rules.iter().map(|rule| rule.rule.response))
        .chain([network.default.response]);
    if scope.mode.is_none() && effective.mode == Mode::Observe && stops.max() > Some(Response::Flag) {
        let remedy = "write `mode = \"enforce\"`, or `mode = \"observe\"` if that is meant";
        found.push(ScopeError::new(
            0..0,
            "without `mode` the scope only observes: nothing is denied or stopped",
            remedy,
        ));
    }
}

fn files(n: usize, rule: &FileRule, found: &mut Vec<ScopeError>) {
    if rule.rule.response == Response::Allow
        && let Some(unless) = rule.unless.first()
    {
        let message = format!("files.rule[{n}] allows, so its `unless` sanctions nothing");
        found.push(ScopeError::new(
            unless.span.clone(),
            message,
            "take the `unless` out, or give the rule another response",
        ));
    }
    let certificates = PathPattern::Exact("/etc/ssl/certs/ca-certificates.pem".into());
    for (entry, span) in &rule.paths {
        if let PathEntry::Pattern(pattern @ PathPattern::Anywhere { .. }) = entry
            && rule.rule.response > Response::Flag
            && rule.access.contains(&Access::Read)
            && pattern.covers(&certificates)
        {
            let message = format!(
                "files.rule[{n}]: `{pattern}` also names public certificates, which most programs read"
            );
            let remedy = "add a rule with `paths = [\"/etc/ssl/certs/*\", \"**/certifi/*\"]` and `response = \"allow\"`";
            found.push(ScopeError::new(span.clone(), message, remedy));
        }
    }
}

/// What a rule is about, in the one spelling that equal things share.
struct Entry {
    key: String,
    read: bool,
    write: bool,
    response: Response,
    rule: String,
    span: Span,
}

/// An entry never decides where another rule is about the same, for at least the same access, and answers stronger.
fn unreachable_rules(entries: &[Entry], found: &mut Vec<ScopeError>) {
    let mut by_key: HashMap<&str, Vec<&Entry>> = HashMap::new();
    for entry in entries {
        by_key.entry(&entry.key).or_default().push(entry);
    }
    for entry in entries {
        let same = by_key.get(entry.key.as_str()).into_iter().flatten();
        let stronger = same
            .filter(|other| other.response > entry.response)
            .find(|other| (other.read || !entry.read) && (other.write || !entry.write));
        if let Some(stronger) = stronger {
            let message = format!(
                "`{}` in {} never decides: {} is about the same, and its `{}` is stronger than `{}`",
                entry.key,
                entry.rule,
                stronger.rule,
                stronger.response.word(),
                entry.response.word()
            );
            found.push(ScopeError::new(
                entry.span.clone(),
                message,
                "take one of them out, or make one more specific",
            ));
        }
    }
}

fn file_entries(scope: &Scope) -> Vec<Entry> {
    let rules = scope
        .files
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| !rule.by_class);
    let one = |(n, rule): (usize, &FileRule)| {
        let about = |access| rule.access.contains(&access);
        let (read, write, response) = (about(Access::Read), about(Access::Write), rule.rule.response);
        let entry = move |(entry, span): &(PathEntry, Span)| {
            let key = match entry {
                PathEntry::Pattern(pattern) => pattern.to_string(),
                PathEntry::Credentials => "@credentials".into(),
                PathEntry::CredentialClass(class) => format!("@credentials/{class}"),
            };
            Entry {
                key,
                read,
                write,
                response,
                rule: format!("files.rule[{n}]"),
                span: span.clone(),
            }
        };
        rule.paths.iter().map(entry).collect::<Vec<_>>()
    };
    rules.flat_map(one).collect()
}

fn plain(key: String, response: Response, rule: String, span: &Span) -> Entry {
    Entry {
        key,
        read: true,
        write: true,
        response,
        rule,
        span: span.clone(),
    }
}

fn endpoint_entries(scope: &Scope) -> Vec<Entry> {
    let allow = scope.network.allow.iter().enumerate();
    let allow = allow.map(|(n, (to, span))| {
        plain(
            to.to_string(),
            Response::Allow,
            format!("network.allow[{n}]"),
            span,
        )
    });
    let rules = scope.network.rules.iter().enumerate().flat_map(|(n, rule)| {
        let name = format!("network.rule[{n}]");
        rule.to
            .iter()
            .map(move |(to, span)| plain(to.to_string(), rule.rule.response, name.clone(), span))
    });
    allow.chain(rules).collect()
}

fn program_entries(scope: &Scope) -> Vec<Entry> {
    let rules = scope
        .exec
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.argv.is_empty());
    let entries = rules.flat_map(|(n, rule)| {
        let name = format!("exec.rule[{n}]");
        rule.exe
            .iter()
            .map(move |(exe, span)| plain(exe.to_string(), rule.rule.response, name.clone(), span))
    });
    entries.collect()
}

fn socket_entries(scope: &Scope) -> Vec<Entry> {
    let rules = scope.sockets.rules.iter().enumerate();
    let entries = rules.flat_map(|(n, rule)| {
        let name = format!("sockets.rule[{n}]");
        rule.path
            .iter()
            .map(move |(path, span)| plain(path.to_string(), rule.rule.response, name.clone(), span))
    });
    entries.collect()
}
