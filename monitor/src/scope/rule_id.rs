//! The name of a rule, as events, `why` and tests write it.

use std::{fmt, sync::Arc};

/// The place of a rule inside a scope file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RulePlace {
    /// `network.rule[n]`
    NetworkRule(u16),
    /// `network.allow[n]`
    NetworkAllow(u16),
    /// `network.default`
    NetworkDefault,
    /// `files.rule[n]`
    FileRule(u16),
    /// `files.default`
    FilesDefault,
    /// `files.write-default`
    FilesWriteDefault,
    /// `exec.rule[n]`
    ExecRule(u16),
    /// `exec.default`
    ExecDefault,
    /// `sockets.rule[n]`
    SocketRule(u16),
    /// `sockets.default`
    SocketsDefault,
    /// `processes.trace`
    Trace,
    /// `processes.signal`
    Signal,
    /// `session.requested-start`
    RequestedStart,
    /// `session.leave`
    Leave,
    /// `session.mount`
    Mount,
    /// `session.borrowed-identity`
    BorrowedIdentity,
    /// What holds in every session: nobody in one touches the monitor.
    SelfDefence,
    /// What a used-up budget leaves the session: what it has used before.
    Tightened,
    /// `budget[n]`
    Budget(u16),
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetworkRule(n) => write!(f, "network.rule[{n}]"),
            Self::NetworkAllow(n) => write!(f, "network.allow[{n}]"),
            Self::NetworkDefault => f.write_str("network.default"),
            Self::FileRule(n) => write!(f, "files.rule[{n}]"),
            Self::FilesDefault => f.write_str("files.default"),
            Self::FilesWriteDefault => f.write_str("files.write-default"),
            Self::ExecRule(n) => write!(f, "exec.rule[{n}]"),
            Self::ExecDefault => f.write_str("exec.default"),
            Self::SocketRule(n) => write!(f, "sockets.rule[{n}]"),
            Self::SocketsDefault => f.write_str("sockets.default"),
            Self::Trace => f.write_str("processes.trace"),
            Self::Signal => f.write_str("processes.signal"),
            Self::RequestedStart => f.write_str("session.requested-start"),
            Self::Leave => f.write_str("session.leave"),
            Self::Mount => f.write_str("session.mount"),
            Self::BorrowedIdentity => f.write_str("session.borrowed-identity"),
            Self::SelfDefence => f.write_str("self-defence"),
            Self::Tightened => f.write_str("tightened"),
            Self::Budget(n) => write!(f, "budget[{n}]"),
        }
    }
}

/// A rule's name: `files.rule[0]` for the scope's own, `@coding-agent/files.rule[0]` for a fragment's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    /// The fragment it comes from (`@name`, or the name of a local one); `None` for the scope's own.
    pub fragment: Option<Arc<str>>,
    /// The place inside that file.
    pub place: RulePlace,
}

impl RuleId {
    /// A rule of the scope itself.
    #[must_use]
    pub const fn own(place: RulePlace) -> Self {
        Self {
            fragment: None,
            place,
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fragment) = &self.fragment {
            write!(f, "{fragment}/")?;
        }
        self.place.fmt(f)
    }
}
