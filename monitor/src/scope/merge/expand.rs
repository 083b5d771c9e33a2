//! Rules about files, with `@credentials` expanded: one rule for each class, because classes differ in their answers
//! and in who may read them.

use super::{Layer, number};
use crate::scope::{
    effective::{FileRule, Unless},
    model::{self, PathEntry, default_weight},
    pattern::PathPattern,
    rule_id::RulePlace,
    secret::is_secret_like,
    sets::credentials::{CredentialClass, class_named, classes},
    words::{Access, Response},
};

/// The rules about files of one file.
pub(super) fn file_rules(layer: &Layer<'_>) -> Vec<FileRule> {
    let rules = layer.scope.files.rules.iter().enumerate();
    rules
        .flat_map(|(n, rule)| expand(layer, RulePlace::FileRule(number(n)), rule))
        .collect()
}

/// Names of what logs a person in, where no catalogue and no rule speaks of it.
const TOKENS: [&str; 3] = ["~/**/token", "~/**/*_token", "~/**/*-token"];

/// What lends a person's identity to whoever reads it: the catalogue's secrets in the owner's home that no honest agent
/// reads (`guard`), files there that are called a token, and secrets by their names that a rule guards.
pub(super) fn personal<'s>(scopes: impl Iterator<Item = &'s model::Scope>) -> Vec<PathPattern> {
    let public = |path: &PathPattern| {
        classes()
            .iter()
            .filter(|class| class.exempt_of.is_some())
            .flat_map(|class| &class.paths)
            .any(|exempt| path.covers(exempt))
    };
    let of_catalogue = classes()
        .iter()
        .filter(|class| class.guard && class.rotate && class.read && class.exempt_of.is_none())
        .flat_map(|class| &class.paths)
        .filter(|path| path.to_string().starts_with('~') && !public(path))
        .cloned();
    let tokens = TOKENS
        .iter()
        .filter_map(|text| PathPattern::parse_all(text).ok())
        .flatten();
    let guarded = scopes
        .flat_map(|scope| &scope.files.rules)
        .filter(|rule| rule.rule.response > Response::Allow && rule.access.contains(&Access::Read))
        .flat_map(|rule| rule.paths.iter().filter_map(|(entry, _)| pattern(entry)))
        .filter(|path| is_secret_like(&path.to_string()));
    let mut all: Vec<PathPattern> = of_catalogue.chain(tokens).chain(guarded).collect();
    all.sort();
    all.dedup();
    all
}

fn expand(layer: &Layer<'_>, place: RulePlace, written: &model::FileRule) -> Vec<FileRule> {
    let own_unless: Vec<Unless> = written.unless.iter().map(own).collect();
    let about = |access| written.access.contains(&access);
    let mut rules = Vec::new();
    let patterns: Vec<PathPattern> = written
        .paths
        .iter()
        .filter_map(|(entry, _)| pattern(entry))
        .collect();
    if !patterns.is_empty() {
        rules.push(FileRule {
            rule: layer.rule(place, &written.rule),
            class: None,
            paths: patterns,
            read: about(Access::Read),
            write: about(Access::Write),
            unless: own_unless.clone(),
        });
    }
    for class in included(written) {
        let mut rule = layer.rule(place, &written.rule);
        if class.exempt_of.is_some() {
            rule.response = Response::Allow;
            rule.weight = 0;
        } else if written.by_class {
            rule.response = class.response;
            rule.weight = written
                .rule
                .weight
                .unwrap_or_else(|| default_weight(class.response));
        }
        rule.reason = rule.reason.or_else(|| Some(class.title.clone()));
        let (read, write) = (
            about(Access::Read) && class.read,
            about(Access::Write) && class.write,
        );
        if read || write {
            let unless = unless_of(class, &own_unless);
            rules.push(FileRule {
                rule,
                class: Some(class.id),
                paths: class.paths.clone(),
                read,
                write,
                unless,
            });
        }
    }
    rules
}

/// The classes that a rule is about. A rule with a response of its own covers those that no honest agent reads, unless
/// it names a class; one without covers every class that has an answer. Exemptions come with their class.
fn included(written: &model::FileRule) -> Vec<&'static CredentialClass> {
    let mut included: Vec<&'static CredentialClass> = Vec::new();
    for (entry, _) in &written.paths {
        match entry {
            PathEntry::Pattern(_) => {}
            PathEntry::Credentials => included.extend(classes().iter().filter(|class| {
                class.exempt_of.is_none()
                    && (class.guard || written.by_class)
                    && class.response != Response::Allow
            })),
            PathEntry::CredentialClass(id) => included.extend(class_named(id)),
        }
    }
    let exempt = classes().iter().filter(|class| {
        class
            .exempt_of
            .as_deref()
            .is_some_and(|of| included.iter().any(|known| known.id == of))
    });
    let exempt: Vec<&'static CredentialClass> = exempt.collect();
    included.extend(exempt);
    included.sort_by_key(|class| class.id);
    included.dedup_by_key(|class| class.id);
    included
}

/// The rule's own sanctioned uses, and the catalogue's readers for the paths of which the rule itself says nothing.
fn unless_of(class: &CredentialClass, own: &[Unless]) -> Vec<Unless> {
    let spoken_for = |path: &PathPattern| {
        own.iter()
            .any(|unless| unless.paths.is_empty() || unless.paths.iter().any(|q| q.covers(path)))
    };
    let left: Vec<PathPattern> = class
        .paths
        .iter()
        .filter(|path| !spoken_for(path))
        .cloned()
        .collect();
    let mut unless = own.to_vec();
    if left.is_empty() {
        return unless;
    }
    let paths = if left.len() == class.paths.len() {
        Vec::new()
    } else {
        left
    };
    unless.extend(class.readers.iter().map(|reader| Unless {
        exe: reader.exe.clone(),
        ancestor: reader.ancestor.clone(),
        paths: paths.clone(),
        then_to: Vec::new(),
        from_class: true,
    }));
    unless
}

fn own(written: &model::Unless) -> Unless {
    Unless {
        exe: written.exe.clone(),
        ancestor: written.ancestor.clone(),
        paths: written.paths.clone(),
        then_to: written.then_to.clone(),
        from_class: false,
    }
}

fn pattern(entry: &PathEntry) -> Option<PathPattern> {
    match entry {
        PathEntry::Pattern(pattern) => Some(pattern.clone()),
        PathEntry::Credentials | PathEntry::CredentialClass(_) => None,
    }
}
