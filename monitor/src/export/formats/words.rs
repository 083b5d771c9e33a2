//! Sentences about events, the same in every form.

use crate::record::event::{ActRecord, EventRecord};
use crate::scope::words::{Response, When};

/// What the act was about.
#[must_use]
pub fn object(act: &ActRecord) -> String {
    let port = act.port.map(|port| format!(":{port}")).unwrap_or_default();
    match (&act.path, &act.to, &act.name, act.address) {
        (Some(path), Some(to), ..) => format!("{path} to {to}"),
        (Some(path), ..) => path.clone(),
        (_, _, Some(name), Some(address)) => format!("{name} ({address}){port}"),
        (_, _, Some(name), None) => format!("{name}{port}"),
        (_, _, None, Some(address)) => format!("{address}{port}"),
        _ => act.family.clone().unwrap_or_default(),
    }
}

/// What was done about it.
#[must_use]
pub const fn done(applied: Response, when: When) -> &'static str {
    match (applied, when) {
        (Response::Allow, _) => "allowed",
        (Response::Flag, _) => "flagged",
        (Response::Deny, _) => "denied",
        (Response::Freeze, When::After) => "frozen after the act",
        (Response::Freeze, _) => "frozen",
        (Response::Kill, When::After) => "killed after the act",
        (Response::Kill, _) => "killed",
    }
}

/// One line: who, what, and the answer.
#[must_use]
pub fn sentence(event: &EventRecord) -> String {
    let verdict = &event.verdict;
    let who = event.process.lineage.last().map_or("a process", String::as_str);
    let object = object(&event.act);
    let gap = if object.is_empty() { "" } else { " " };
    let mut sentence = format!(
        "{}: {who} ({}) {}{gap}{object}: {}",
        event.session.agent,
        event.process.pid,
        event.act.kind.word(),
        done(verdict.applied, verdict.when),
    );
    if verdict.called_for != verdict.applied {
        sentence.push_str(&format!(" (the scope called for {})", verdict.called_for.word()));
    }
    if let Some(rule) = &verdict.rule {
        sentence.push_str(&format!(" by {rule}"));
    }
    sentence
}

/// A short title, the same for cuts of the same kind.
#[must_use]
pub fn title(event: &EventRecord) -> String {
    format!("AI agent outside its scope: {}", event.act.kind.word())
}
