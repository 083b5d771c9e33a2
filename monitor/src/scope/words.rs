//! The glossary of product.md as types: the only names for these things.

use serde::{Deserialize, Serialize};

/// What is done about an act, in order of force: a later variant is stronger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Response {
    /// The act is inside the scope.
    #[default]
    Allow,
    /// Recorded as a cut; nothing is changed.
    Flag,
    /// The act does not take effect.
    Deny,
    /// The whole session stops until a person decides.
    Freeze,
    /// The process that acted dies.
    Kill,
}

impl Response {
    /// Every response, weakest first.
    pub const ALL: [Self; 5] = [Self::Allow, Self::Flag, Self::Deny, Self::Freeze, Self::Kill];

    /// The word used in scope files and events.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::Deny => "deny",
            Self::Freeze => "freeze",
            Self::Kill => "kill",
        }
    }
}

/// What is done when a budget is used up, in order of force: a later variant is stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Recorded.
    Flag,
    /// The session is left what it has used before, and nothing new.
    Tighten,
    /// The whole session stops until a person decides.
    Freeze,
    /// The whole session dies.
    Kill,
}

impl Step {
    /// The word used in scope files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Tighten => "tighten",
            Self::Freeze => "freeze",
            Self::Kill => "kill",
        }
    }

    /// The response that the record of it names: to tighten is to deny what is new.
    #[must_use]
    pub const fn response(self) -> Response {
        match self {
            Self::Flag => Response::Flag,
            Self::Tighten => Response::Deny,
            Self::Freeze => Response::Freeze,
            Self::Kill => Response::Kill,
        }
    }
}

/// How a file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Its content can be read.
    Read,
    /// Its content can be changed.
    Write,
}

/// Whether a scope only records, or acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Decide and record; change nothing.
    #[default]
    Observe,
    /// Apply the response.
    Enforce,
}

/// When the answer came, relative to the act. Never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The act never took effect.
    BeforeAct,
    /// After the system call, before the process could use its result.
    BeforeUse,
    /// From user space, later.
    After,
}

/// The kernel mechanism that gave the guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// BPF LSM programs.
    Lsm,
    /// `fmod_ret` programs on `security_*` functions.
    FmodRet,
    /// System-call and scheduler tracepoints with a signal.
    Tracepoint,
    /// fanotify permission events, answered by the daemon.
    Fanotify,
    /// cgroup v2 programs.
    Cgroup,
    /// No mechanism: a person decided, or the clock did, and the daemon carried it out.
    Daemon,
}

/// The kinds of acts, closed and versioned with the event schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(
    missing_docs,
    reason = "each variant is the event's own word, explained in docs/events.md"
)]
pub enum Kind {
    #[serde(rename = "process.exec")]
    ProcessExec,
    #[serde(rename = "process.exit")]
    ProcessExit,
    #[serde(rename = "process.requested")]
    ProcessRequested,
    #[serde(rename = "process.trace")]
    ProcessTrace,
    #[serde(rename = "process.signal")]
    ProcessSignal,
    #[serde(rename = "process.identity")]
    ProcessIdentity,
    #[serde(rename = "file.open")]
    FileOpen,
    #[serde(rename = "file.create")]
    FileCreate,
    #[serde(rename = "file.rename")]
    FileRename,
    #[serde(rename = "file.link")]
    FileLink,
    #[serde(rename = "file.unlink")]
    FileUnlink,
    #[serde(rename = "file.truncate")]
    FileTruncate,
    #[serde(rename = "file.attributes")]
    FileAttributes,
    #[serde(rename = "file.map")]
    FileMap,
    #[serde(rename = "file.receive")]
    FileReceive,
    #[serde(rename = "file.mount")]
    FileMount,
    #[serde(rename = "namespace.change")]
    NamespaceChange,
    #[serde(rename = "cgroup.move")]
    CgroupMove,
    #[serde(rename = "socket.create")]
    SocketCreate,
    #[serde(rename = "net.connect")]
    NetConnect,
    #[serde(rename = "net.send")]
    NetSend,
    #[serde(rename = "net.listen")]
    NetListen,
    #[serde(rename = "net.accept")]
    NetAccept,
    #[serde(rename = "dns.query")]
    DnsQuery,
    #[serde(rename = "dns.answer")]
    DnsAnswer,
    #[serde(rename = "unix.connect")]
    UnixConnect,
    #[serde(rename = "unix.send")]
    UnixSend,
    #[serde(rename = "monitor.tamper")]
    MonitorTamper,
    #[serde(rename = "session.owner")]
    SessionOwner,
    #[serde(rename = "session.freeze")]
    SessionFreeze,
    #[serde(rename = "session.thaw")]
    SessionThaw,
    #[serde(rename = "session.kill")]
    SessionKill,
    #[serde(rename = "grant.give")]
    GrantGive,
    #[serde(rename = "grant.expire")]
    GrantExpire,
    #[serde(rename = "grant.revoke")]
    GrantRevoke,
}

impl Kind {
    /// Every kind, in the order of product.md.
    pub const ALL: [Self; 35] = [
        Self::ProcessExec,
        Self::ProcessExit,
        Self::ProcessRequested,
        Self::ProcessTrace,
        Self::ProcessSignal,
        Self::ProcessIdentity,
        Self::FileOpen,
        Self::FileCreate,
        Self::FileRename,
        Self::FileLink,
        Self::FileUnlink,
        Self::FileTruncate,
        Self::FileAttributes,
        Self::FileMap,
        Self::FileReceive,
        Self::FileMount,
        Self::NamespaceChange,
        Self::CgroupMove,
        Self::SocketCreate,
        Self::NetConnect,
        Self::NetSend,
        Self::NetListen,
        Self::NetAccept,
        Self::DnsQuery,
        Self::DnsAnswer,
        Self::UnixConnect,
        Self::UnixSend,
        Self::MonitorTamper,
        Self::SessionOwner,
        Self::SessionFreeze,
        Self::SessionThaw,
        Self::SessionKill,
        Self::GrantGive,
        Self::GrantExpire,
        Self::GrantRevoke,
    ];

    /// The word used in events and in `events --kind`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ProcessExec => "process.exec",
            Self::ProcessExit => "process.exit",
            Self::ProcessRequested => "process.requested",
            Self::ProcessTrace => "process.trace",
            Self::ProcessSignal => "process.signal",
            Self::ProcessIdentity => "process.identity",
            Self::FileOpen => "file.open",
            Self::FileCreate => "file.create",
            Self::FileRename => "file.rename",
            Self::FileLink => "file.link",
            Self::FileUnlink => "file.unlink",
            Self::FileTruncate => "file.truncate",
            Self::FileAttributes => "file.attributes",
            Self::FileMap => "file.map",
            Self::FileReceive => "file.receive",
            Self::FileMount => "file.mount",
            Self::NamespaceChange => "namespace.change",
            Self::CgroupMove => "cgroup.move",
            Self::SocketCreate => "socket.create",
            Self::NetConnect => "net.connect",
            Self::NetSend => "net.send",
            Self::NetListen => "net.listen",
            Self::NetAccept => "net.accept",
            Self::DnsQuery => "dns.query",
            Self::DnsAnswer => "dns.answer",
            Self::UnixConnect => "unix.connect",
            Self::UnixSend => "unix.send",
            Self::MonitorTamper => "monitor.tamper",
            Self::SessionOwner => "session.owner",
            Self::SessionFreeze => "session.freeze",
            Self::SessionThaw => "session.thaw",
            Self::SessionKill => "session.kill",
            Self::GrantGive => "grant.give",
            Self::GrantExpire => "grant.expire",
            Self::GrantRevoke => "grant.revoke",
        }
    }
}
