//! All patterns, for all sessions.

use std::collections::BTreeMap;

use crate::{
    ledger::{
        cut::nanoseconds,
        incidents::CredentialRead,
        patterns::{hunting::Hunting, identity::Identity, retry::Retry},
    },
    record::event::EventRecord,
    scope::words::{Access, Kind, Response},
};

/// What the name of a pattern begins with, in the place of a rule.
pub const PATTERN: &str = "pattern.";

/// A pattern that an event completes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name, in the place of a rule.
    pub rule: &'static str,
    /// What the cut counts.
    pub weight: u32,
    /// What was seen, in one sentence.
    pub reason: String,
    /// The secrets that were read.
    pub reads: Vec<CredentialRead>,
}

/// What else is known of an event.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// The home of the session's owner.
    pub home: &'k str,
    /// The class of the file of the act, where it is a secret: of the catalogue, or by its name.
    pub secret: Option<&'k str>,
    /// Whether who reads it could pass for the owner: not for what the usual tools look into whatever they do.
    pub lends: bool,
}

/// What was seen of each session.
#[derive(Debug, Default)]
pub struct Patterns(BTreeMap<String, Session>);

#[derive(Debug, Default)]
struct Session {
    hunting: Hunting,
    identity: Identity,
    retry: Retry,
}

impl Patterns {
    /// Takes in an event of a session, inside its scope or not; says which patterns it completes.
    pub fn take(&mut self, event: &EventRecord, known: Known<'_>) -> Vec<Finding> {
        if is_pattern(event) || event.session.id.is_empty() {
            return Vec::new();
        }
        let kind = event.act.kind;
        let matters = match kind {
            Kind::ProcessExec | Kind::NetConnect | Kind::NetSend => true,
            Kind::FileOpen => known.secret.is_some() || event.verdict.applied >= Response::Deny,
            _ => event.verdict.applied >= Response::Deny,
        };
        if !matters {
            return Vec::new();
        }
        let session = self.0.entry(event.session.id.clone()).or_default();
        let now = nanoseconds(event.time);
        let mut found = Vec::new();
        match kind {
            Kind::FileOpen
                if known.secret.is_some()
                    && event.act.access.contains(&Access::Read)
                    && is_foreign(event, known.home) =>
            {
                let read = CredentialRead::of(event, known.secret.unwrap_or_default());
                // One that was refused lends nobody's identity, and is not to be rotated.
                let had = event.verdict.applied < Response::Deny;
                found.extend(session.hunting.read(now, &read, had));
                if had && known.lends {
                    session.identity.read(now, read, event.process.ppid);
                }
            }
            Kind::ProcessExec => found.extend(session.retry.executed(now, event)),
            // What the kernel has answered as borrowed identity is told already.
            Kind::NetConnect | Kind::NetSend
                if event.verdict.applied <= Response::Flag && event.act.borrowed.is_none() =>
            {
                found.extend(session.identity.reached(now, event));
            }
            _ => {}
        }
        if event.verdict.applied >= Response::Deny {
            session.hunting.refused(now);
        }
        found
    }

    /// The kernel holds a session for a read of this credential.
    pub fn lend(&mut self, session: &str, what: CredentialRead) {
        self.0.entry(session.to_owned()).or_default().identity.lend(what);
    }

    /// The latest credential that it holds a session for.
    #[must_use]
    pub fn lent(&self, session: &str) -> Option<&CredentialRead> {
        self.0.get(session)?.identity.lent()
    }

    /// A session ended.
    pub fn ended(&mut self, session: &str) {
        self.0.remove(session);
    }
}

/// Whether an event tells of a pattern, and not of an act of its own.
#[must_use]
pub fn is_pattern(event: &EventRecord) -> bool {
    event
        .verdict
        .rule
        .as_deref()
        .is_some_and(|rule| rule.starts_with(PATTERN))
}

/// Whether a secret is none that the work at hand explains: not in sanctioned use, not the system's, and not below the
/// directory that the process works in, unless that is the home itself.
fn is_foreign(event: &EventRecord, home: &str) -> bool {
    const SYSTEM: [&str; 6] = ["/usr/", "/etc/ssl/", "/etc/pki/", "/proc/", "/sys/", "/dev/"];
    let verdict = &event.verdict;
    let Some(path) = event.act.path.as_deref() else {
        return false;
    };
    let sanctioned = verdict.called_for == Response::Allow && verdict.rule.is_some();
    let project = event.process.cwd.as_deref().filter(|cwd| {
        let cwd = cwd.trim_end_matches('/');
        !cwd.is_empty() && cwd != home && !home.starts_with(&format!("{cwd}/"))
    });
    let own = project.is_some_and(|cwd| {
        path.strip_prefix(cwd.trim_end_matches('/'))
            .is_some_and(|rest| rest.starts_with('/'))
    });
    !sanctioned && !own && !SYSTEM.iter().any(|place| path.starts_with(place))
}
