//! What changing one scope into another changes, in plain sentences.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    effective::Effective,
    model::{AfterFreeze, Budget, Match},
    statements::{EVERYTHING_ELSE, Statement, statements},
    words::{Mode, Response},
};

/// Which way a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Less is allowed than before.
    Tighter,
    /// More is allowed than before.
    Looser,
    /// Neither, or both.
    Other,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The section of the scope file; empty for its top.
    pub section: &'static str,
    /// Which way it goes.
    pub direction: Direction,
    /// What changes, as a sentence without a full stop.
    pub sentence: String,
}

/// Everything that `new` changes about `old`, section by section. Nothing for scopes that say the same.
#[must_use]
pub fn diff(old: &Effective, new: &Effective) -> Vec<Change> {
    let mut changes = Vec::new();
    top(old, new, &mut changes);
    let (before, after) = (deciding(old), deciding(new));
    for (key, was) in &before {
        match after.get(key) {
            Some(is) => changed(was, is, &mut changes),
            None => changes.push(Change {
                section: was.section,
                direction: direction(was.response, fallback(&after, was)),
                sentence: format!(
                    "no longer named: {}, which was answered with {}",
                    subject(was),
                    was.response.word()
                ),
            }),
        }
    }
    for (key, is) in &after {
        if !before.contains_key(key) {
            changes.push(Change {
                section: is.section,
                direction: direction(fallback(&before, is), is.response),
                sentence: format!(
                    "newly named: {}, answered with {}{}",
                    subject(is),
                    is.response.word(),
                    because(is)
                ),
            });
        }
    }
    changes.sort_by_key(|change| change.section);
    changes
}

type Key = (&'static str, String, &'static str);

/// The statement that decides for each thing: the nearest one, and the stronger among equally near ones.
fn deciding(scope: &Effective) -> BTreeMap<Key, Statement> {
    let mut deciding: BTreeMap<Key, Statement> = BTreeMap::new();
    for statement in statements(scope) {
        let key = (
            statement.section,
            statement.about.clone(),
            statement.access.unwrap_or_default(),
        );
        let strength = |s: &Statement| (std::cmp::Reverse(s.layer), s.response);
        match deciding.get(&key) {
            Some(known) if strength(known) >= strength(&statement) => {}
            _ => {
                deciding.insert(key, statement);
            }
        }
    }
    deciding
}

/// What answers for something that is not named: its section's default.
fn fallback(scope: &BTreeMap<Key, Statement>, about: &Statement) -> Response {
    let written =
        (about.access == Some("write")).then(|| scope.get(&(about.section, EVERYTHING_ELSE.into(), "write")));
    let default = written
        .flatten()
        .or_else(|| scope.get(&(about.section, EVERYTHING_ELSE.into(), "")));
    default.map_or(Response::Allow, |statement| statement.response)
}

fn changed(was: &Statement, is: &Statement, changes: &mut Vec<Change>) {
    let mut say = |direction, sentence| {
        changes.push(Change {
            section: is.section,
            direction,
            sentence,
        });
    };
    if was.response != is.response {
        let sentence = format!(
            "{}: {} instead of {}{}",
            subject(is),
            is.response.word(),
            was.response.word(),
            because(is)
        );
        say(direction(was.response, is.response), sentence);
    } else if was.weight != is.weight {
        let way = if is.weight > was.weight {
            Direction::Tighter
        } else {
            Direction::Looser
        };
        say(
            way,
            format!("{}: weighs {} instead of {}", subject(is), is.weight, was.weight),
        );
    }
    for unless in is.unless.iter().filter(|unless| !was.unless.contains(unless)) {
        say(
            Direction::Looser,
            format!("{}: newly sanctioned for {unless}", subject(is)),
        );
    }
    for unless in was.unless.iter().filter(|unless| !is.unless.contains(unless)) {
        say(
            Direction::Tighter,
            format!("{}: no longer sanctioned for {unless}", subject(is)),
        );
    }
}

fn subject(statement: &Statement) -> String {
    let about = if statement.about == EVERYTHING_ELSE {
        EVERYTHING_ELSE.to_owned()
    } else {
        format!("`{}`", statement.about)
    };
    match statement.access {
        Some("read") => format!("reading {about}"),
        Some("write") => format!("writing {about}"),
        _ => about,
    }
}

fn because(statement: &Statement) -> String {
    statement
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" ({reason})"))
}

fn direction(was: Response, is: Response) -> Direction {
    match is.cmp(&was) {
        std::cmp::Ordering::Greater => Direction::Tighter,
        std::cmp::Ordering::Less => Direction::Looser,
        std::cmp::Ordering::Equal => Direction::Other,
    }
}

/// What is not about single things.
fn top(old: &Effective, new: &Effective, changes: &mut Vec<Change>) {
    let mut say = |direction, sentence: String| {
        changes.push(Change {
            section: "",
            direction,
            sentence,
        });
    };
    if old.name != new.name {
        say(
            Direction::Other,
            format!("the scope is called `{}` instead of `{}`", new.name, old.name),
        );
    }
    match (old.mode, new.mode) {
        (Mode::Observe, Mode::Enforce) => {
            say(Direction::Tighter, "enforces instead of only observing".into());
        }
        (Mode::Enforce, Mode::Observe) => say(Direction::Looser, "only observes instead of enforcing".into()),
        _ => {}
    }
    if old.expires != new.expires {
        let shown = |at: Option<jiff::Timestamp>| at.map_or_else(|| "never".into(), |at| at.to_string());
        say(
            Direction::Other,
            format!("expires {} instead of {}", shown(new.expires), shown(old.expires)),
        );
    }
    if old.owner != new.owner {
        let shown = |owner: &Option<String>| owner.clone().unwrap_or_else(|| "nobody".into());
        say(
            Direction::Other,
            format!(
                "declared by {} instead of {}",
                shown(&new.owner),
                shown(&old.owner)
            ),
        );
    }
    listed(
        &old.matches,
        &new.matches,
        "a process is recognised by",
        matched,
        &mut say,
    );
    listed(&old.budgets, &new.budgets, "the budget is", budget, &mut say);
    if old.freeze != new.freeze {
        let after = match new.freeze.then {
            AfterFreeze::Kill => "killed",
            AfterFreeze::Thaw => "thawed",
            AfterFreeze::Freeze => "left frozen",
        };
        let timeout = humantime::format_duration(new.freeze.timeout);
        say(
            Direction::Other,
            format!("a frozen session is {after} after {timeout}"),
        );
    }
}

fn listed<T: PartialEq>(
    old: &[T],
    new: &[T],
    lead: &str,
    show: fn(&T) -> String,
    say: &mut impl FnMut(Direction, String),
) {
    for one in new.iter().filter(|one| !old.contains(one)) {
        say(Direction::Other, format!("{lead} {} from now on", show(one)));
    }
    for one in old.iter().filter(|one| !new.contains(one)) {
        say(Direction::Other, format!("{lead} {} no longer", show(one)));
    }
}

/// A `[[match]]` in words.
#[must_use]
pub fn matched(one: &Match) -> String {
    fn any<T: ToString>(word: &str, list: &[T]) -> Option<String> {
        let shown: Vec<String> = list.iter().map(ToString::to_string).collect();
        (!shown.is_empty()).then(|| format!("{word} {}", shown.join(" or ")))
    }
    let parts = [
        any("exe", &one.exe),
        any("arguments", &one.argv),
        any("unit", one.unit.as_slice()),
        any("cgroup", one.cgroup.as_slice()),
        any("user", one.user.as_slice()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

/// A `[[budget]]` in words.
#[must_use]
pub fn budget(one: &Budget) -> String {
    let account = match one.account {
        super::model::Account::Session => "session",
        super::model::Account::Agent => "agent",
        super::model::Account::Owner => "owner",
        super::model::Account::Host => "host",
    };
    let within = humantime::format_duration(one.within);
    format!(
        "{} in {within} per {account}, then {}",
        one.weight,
        one.response.word()
    )
}
