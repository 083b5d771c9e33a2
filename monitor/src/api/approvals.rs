//! What the API says and takes about what waits for a person, what people approved, and what the agent itself is told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::event::{EventRecord, Owner, act_line};
use crate::scope::words::{Access, Response};

/// `GET /v1/self/why`: why the latest act of the caller's own session was answered as it was; for the agent itself, so no more than the
/// scope's author wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The event's id: what a person asks about.
    pub event: String,
    /// When.
    pub time: Timestamp,
    /// The act in one line.
    pub act: String,
    /// What was done about it.
    pub applied: Response,
    /// The rule, as `files.rule[0]`.
    pub rule: String,
    /// What the scope's author wrote about it.
    pub reason: Option<String>,
    /// What to do instead.
    pub instead: String,
}

impl Reason {
    /// Of an event.
    #[must_use]
    pub fn of(event: &EventRecord) -> Self {
        let instead = match event.verdict.applied {
            Response::Allow | Response::Flag => {
                "It went through, and is recorded as outside the scope.".to_owned()
            }
            _ => format!(
                "Trying again changes nothing: go on without it, or ask a person, who can look at event {} and approve it.",
                event.id
            ),
        };
        Self {
            event: event.id.clone(),
            time: event.time,
            act: act_line(&event.act),
            applied: event.verdict.applied,
            rule: event
                .verdict
                .rule
                .clone()
                .unwrap_or_else(|| "the default".to_owned()),
            reason: event.verdict.reason.clone(),
            instead,
        }
    }
}

/// `POST /v1/grants`: approve, for a while, what an event was about, or for a session one thing that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// The event that asks: its session and the very thing it was about.
    #[serde(default)]
    pub event: Option<String>,
    /// In place of an event: the session.
    #[serde(default)]
    pub session: Option<String>,
    /// With `session`: a file, by the path that leads to it now.
    #[serde(default)]
    pub file: Option<String>,
    /// With `session`: a program, by the path that leads to it now.
    #[serde(default)]
    pub program: Option<String>,
    /// With `session`: an endpoint, as `203.0.113.7:443` or `[2001:db8::1]:53/udp`.
    #[serde(default)]
    pub to: Option<String>,
    /// For a file: in place of what the event did, or of reading.
    #[serde(default)]
    pub access: Vec<Access>,
    /// For how long, in seconds: 1 to 86,400.
    pub seconds: u64,
    /// Why, in the caller's words; recorded.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Longest time of a grant, in seconds: what is to hold for longer belongs into the scope.
pub const GRANT_MOST_SECONDS: u64 = 86_400;

/// `GET /v1/pending`: one frozen session, which waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The session's id.
    pub session: String,
    /// The agent.
    pub agent: String,
    /// The human for whom it runs.
    pub owner: Owner,
    /// Since when it waits.
    pub since: Timestamp,
    /// Why it was frozen.
    pub reason: String,
    /// The event that froze it, where one did.
    pub event: Option<String>,
    /// The act in one line, where an act froze it.
    pub act: Option<String>,
    /// The process that asked, as `curl[4212]`.
    pub process: Option<String>,
    /// The rule that called for it.
    pub rule: Option<String>,
    /// What the scope's author wrote about it.
    pub rule_reason: Option<String>,
    /// When the scope's own answer comes; `None` where it waits without end.
    pub until: Option<Timestamp>,
    /// That answer: `kill`, `thaw`, or `freeze` (it stays frozen).
    pub then: String,
    /// The command that approves the act, where it can be approved.
    pub grant_command: Option<String>,
    /// Where what it had open is kept.
    pub evidence: Option<String>,
}
