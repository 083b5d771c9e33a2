//! What the person who started the run is told: the events where they asked for them, and one line where something of
//! the session is stopped.

use std::{
    io::{self, ErrorKind, Write},
    time::{Duration, Instant},
};

use nix::unistd::Pid;

use super::{holder::Remaining, reasons::Reasons};
use crate::{
    cli::render::{
        escape::escape,
        event::{act_words, process_words},
    },
    record::event::EventRecord,
    scope::words::Response,
};

/// Freezes that come closer together than this are one.
const ONE_FREEZE: Duration = Duration::from_secs(2);
/// Refusals that come closer together than this are told once on standard error; each is in the agent's own file.
const ONE_DENIAL: Duration = Duration::from_secs(2);

/// Tells of the events of one session.
pub struct Telling {
    events: Option<Box<dyn Write + Send>>,
    messages: Box<dyn Write + Send>,
    reasons: Option<Reasons>,
    denied: Option<Instant>,
    root: u32,
    root_killed: Option<EventRecord>,
    root_denied: Option<EventRecord>,
    killed: Option<EventRecord>,
    frozen: Option<Instant>,
    latest: Instant,
}

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telling")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Telling {
    /// Of the session whose root is `root`: every event as a line to `events`, where that is given, and what stops
    /// something to `messages`.
    #[must_use]
    pub fn new(root: Pid, events: Option<Box<dyn Write + Send>>, messages: Box<dyn Write + Send>) -> Self {
        Self {
            events,
            messages,
            reasons: None,
            denied: None,
            root: root.as_raw().unsigned_abs(),
            root_killed: None,
            root_denied: None,
            killed: None,
            frozen: None,
            latest: Instant::now(),
        }
    }

    /// Writes what is answered to the session's acts into the agent's own file.
    pub(super) fn keep_reasons(&mut self, reasons: Reasons) {
        self.reasons = Some(reasons);
    }

    /// The command has ended: nobody reads them any more. Whoever follows the session may outlive this process's work.
    pub(super) fn end_reasons(&mut self) {
        self.reasons = None;
    }

    /// Whether every event is wanted; otherwise only those with a verdict of deny, freeze or kill are.
    #[must_use]
    pub const fn wants_all(&self) -> bool {
        self.events.is_some()
    }

    /// Takes an event of the session.
    pub fn event(&mut self, event: &EventRecord) {
        self.latest = Instant::now();
        match serde_json::to_string(event) {
            Ok(line) => self.line(&line),
            Err(error) => self.give_up(&io::Error::other(error)),
        }
        if event.verdict.applied >= Response::Deny
            && event.verdict.called_for > Response::Allow
            && let Some(reasons) = &mut self.reasons
        {
            reasons.add(event);
        }
        let is_roots = event.process.pid == self.root;
        match event.verdict.applied {
            Response::Freeze => self.froze(event),
            Response::Kill => {
                if is_roots {
                    self.root_killed = Some(event.clone());
                }
                self.killed = Some(event.clone());
            }
            Response::Deny => {
                self.refused(event);
                if is_roots {
                    self.root_denied = Some(event.clone());
                }
            }
            Response::Allow | Response::Flag => {}
        }
    }

    /// Writes a line among the events that is none, as the count of those that were missed.
    pub fn line(&mut self, line: &str) {
        let Some(events) = &mut self.events else { return };
        if let Err(error) = writeln!(events, "{line}").and_then(|()| events.flush()) {
            self.give_up(&error);
        }
    }

    /// Says something on standard error.
    pub fn say(&mut self, line: &str) {
        // Nobody is left to tell where standard error is closed.
        drop(writeln!(self.messages, "scopeward: {line}").and_then(|()| self.messages.flush()));
    }

    /// How long no event came.
    #[must_use]
    pub fn quiet(&self) -> Duration {
        self.latest.elapsed()
    }

    /// Whether what `remaining` asks for is there already; never so for every event.
    #[must_use]
    pub const fn has(&self, remaining: Remaining) -> bool {
        match remaining {
            Remaining::Nothing => true,
            Remaining::Kill => self.root_killed.is_some(),
            Remaining::Denial => self.root_denied.is_some(),
            Remaining::Events => false,
        }
    }

    /// The cut for which Scopeward killed the command itself.
    #[must_use]
    pub const fn root_killed(&self) -> Option<&EventRecord> {
        self.root_killed.as_ref()
    }

    /// The latest act that was denied to the command itself.
    #[must_use]
    pub const fn root_denied(&self) -> Option<&EventRecord> {
        self.root_denied.as_ref()
    }

    /// The latest cut for which Scopeward killed some process of the session.
    #[must_use]
    pub const fn killed(&self) -> Option<&EventRecord> {
        self.killed.as_ref()
    }

    /// A refusal in one line; a program that tries on in a loop is told once in a while.
    fn refused(&mut self, event: &EventRecord) {
        if self.denied.is_none_or(|at| at.elapsed() >= ONE_DENIAL) {
            self.denied = Some(Instant::now());
            self.say(&sentence(event));
        }
    }

    fn froze(&mut self, event: &EventRecord) {
        let same = self.frozen.is_some_and(|at| at.elapsed() < ONE_FREEZE);
        self.frozen = Some(Instant::now());
        if !same {
            let session = escape(&event.session.id).into_owned();
            self.say(&format!(
                "{}; it waits for a person: scopeward thaw {session} --reason …, or scopeward kill {session} --reason …",
                sentence(event)
            ));
        }
    }

    fn give_up(&mut self, error: &io::Error) {
        self.events = None;
        if error.kind() != ErrorKind::BrokenPipe {
            self.say(&format!(
                "failed to write the events: {error}; the session goes on without"
            ));
        }
    }
}

/// In one sentence: what was done by which rule, why, about what, and where there is more.
#[must_use]
pub fn sentence(event: &EventRecord) -> String {
    let verdict = &event.verdict;
    let done = match verdict.applied {
        Response::Kill => "killed",
        Response::Freeze => "frozen",
        Response::Deny => "denied",
        Response::Flag => "flagged",
        Response::Allow => "allowed",
    };
    let rule = verdict.rule.as_deref().unwrap_or("the default");
    let reason = verdict
        .reason
        .as_deref()
        .map_or_else(String::new, |reason| format!(" ({})", escape(reason)));
    format!(
        "{done} by {} of scope {}{reason}: {} {}; scopeward why {}",
        escape(rule),
        escape(&verdict.scope),
        escape(&process_words(event)),
        act_words(&event.act, event.count),
        escape(&event.id)
    )
}
