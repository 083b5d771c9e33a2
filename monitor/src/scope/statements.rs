//! A scope as single statements: one thing, what is done about it, and which rule says so. `show` and `diff` read these.

use serde::Serialize;

use super::{
    effective::{DefaultResponse, Effective, FileRule, Rule, Unless},
    model::default_weight,
    words::Response,
};

/// One statement of a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// `network`, `files`, `exec`, `sockets`, `processes`, `session`.
    pub section: &'static str,
    /// What it is about: a pattern, an endpoint, a class of the catalogue, or `everything else`.
    pub about: String,
    /// `read`, `write` or `read, write`, where it is about files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<&'static str>,
    /// What is done.
    pub response: Response,
    /// What a cut counts.
    pub weight: u32,
    /// The rule's name.
    pub rule: String,
    /// How far away it was written; see [`Rule::layer`].
    #[serde(skip)]
    pub layer: u8,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Sanctioned uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<String>,
}

/// What stands for all that no rule names.
pub const EVERYTHING_ELSE: &str = "everything else";

/// Everything the scope says, section by section. The classes of `@credentials` count as one thing each.
#[must_use]
pub fn statements(scope: &Effective) -> Vec<Statement> {
    let mut all = Vec::new();
    for rule in &scope.network.rules {
        all.extend(
            rule.to
                .iter()
                .map(|to| of_rule("network", to.to_string(), &rule.rule)),
        );
    }
    all.push(of_key("network", EVERYTHING_ELSE, &scope.network.default));
    for rule in &scope.files.rules {
        all.extend(of_file_rule(rule));
    }
    let files = &scope.files;
    let may_write = Rule {
        id: files.write_default.as_ref().unwrap_or(&files.default).id.clone(),
        layer: 0,
        response: Response::Allow,
        weight: 0,
        reason: None,
    };
    for pattern in &files.write {
        let statement = of_rule("files", pattern.to_string(), &may_write);
        all.push(Statement {
            access: Some("write"),
            rule: "files.write".into(),
            ..statement
        });
    }
    if let Some(key) = &files.write_default {
        all.push(Statement {
            access: Some("write"),
            ..of_key("files", EVERYTHING_ELSE, key)
        });
    }
    all.push(of_key("files", EVERYTHING_ELSE, &files.default));
    for rule in &scope.exec.rules {
        all.extend(of_exec_rule(rule));
    }
    all.push(of_key("exec", EVERYTHING_ELSE, &scope.exec.default));
    for rule in &scope.sockets.rules {
        all.extend(
            rule.path
                .iter()
                .map(|path| of_rule("sockets", path.to_string(), &rule.rule)),
        );
    }
    all.push(of_key("sockets", EVERYTHING_ELSE, &scope.sockets.default));
    all.push(of_key("processes", "trace", &scope.trace));
    all.push(of_key("processes", "signal", &scope.signal));
    all.push(of_key("session", "requested-start", &scope.requested_start));
    all.push(of_key("session", "leave", &scope.leave));
    all.push(of_key("session", "mount", &scope.mount));
    all.push(of_key("session", "borrowed-identity", &scope.borrowed_identity));
    all
}

fn of_rule(section: &'static str, about: String, rule: &Rule) -> Statement {
    Statement {
        section,
        about,
        access: None,
        response: rule.response,
        weight: rule.weight,
        rule: rule.id.to_string(),
        layer: rule.layer,
        reason: rule.reason.clone(),
        unless: Vec::new(),
    }
}

fn of_key(section: &'static str, about: &str, key: &DefaultResponse) -> Statement {
    Statement {
        section,
        about: about.to_owned(),
        access: None,
        response: key.response,
        weight: default_weight(key.response),
        rule: key.id.to_string(),
        layer: 0,
        reason: None,
        unless: Vec::new(),
    }
}

fn of_file_rule(rule: &FileRule) -> Vec<Statement> {
    let access = match (rule.read, rule.write) {
        (true, false) => "read",
        (false, true) => "write",
        _ => "read, write",
    };
    let unless: Vec<String> = rule.unless.iter().map(sanctioned).collect();
    let about = match rule.class {
        Some(class) => vec![format!("@credentials/{class}")],
        None => rule.paths.iter().map(ToString::to_string).collect(),
    };
    let one = |about| Statement {
        access: Some(access),
        unless: unless.clone(),
        ..of_rule("files", about, &rule.rule)
    };
    about.into_iter().map(one).collect()
}

fn of_exec_rule(rule: &super::effective::ExecRule) -> Vec<Statement> {
    if rule.argv.is_empty() {
        return rule
            .exe
            .iter()
            .map(|exe| of_rule("exec", exe.to_string(), &rule.rule))
            .collect();
    }
    let with = |exe: &str| -> Vec<Statement> {
        let about = |glob: &super::argv::ArgvGlob| format!("{exe}arguments `{glob}`");
        rule.argv
            .iter()
            .map(|glob| of_rule("exec", about(glob), &rule.rule))
            .collect()
    };
    if rule.exe.is_empty() {
        return with("");
    }
    rule.exe
        .iter()
        .flat_map(|exe| with(&format!("{exe} with ")))
        .collect()
}

/// A sanctioned use in words.
#[must_use]
pub fn sanctioned(unless: &Unless) -> String {
    let list = |patterns: &[super::pattern::PathPattern]| {
        let shown: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        shown.join(", ")
    };
    let mut words = if unless.exe.is_empty() {
        "any program".to_owned()
    } else {
        list(&unless.exe)
    };
    if !unless.ancestor.is_empty() {
        words += &format!(" below {}", list(&unless.ancestor));
    }
    if !unless.paths.is_empty() {
        words += &format!(" on {}", list(&unless.paths));
    }
    if !unless.then_to.is_empty() {
        let hosts: Vec<String> = unless.then_to.iter().map(ToString::to_string).collect();
        words += &format!(" going to {}", hosts.join(", "));
    }
    words
}
