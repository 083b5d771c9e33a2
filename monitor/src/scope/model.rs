//! One scope file as it is written, parsed: what is absent is `None`, sets are not expanded, `~` stands.

use std::time::Duration;

use super::{
    argv::ArgvGlob,
    endpoint::Endpoint,
    error::Span,
    name_glob::NameGlob,
    pattern::PathPattern,
    words::{Access, Mode, Response, Step},
};

/// A scope file.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The agent's name: lower case letters, digits, `.`, `_`, `-`; at most 64 bytes.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// Whether it only records, or acts.
    pub mode: Option<Mode>,
    /// Who declared it.
    pub owner: Option<String>,
    /// Until when it holds.
    pub expires: Option<(jiff::Timestamp, Span)>,
    /// What becomes of what the scope allows by an entry of its own, once it has expired.
    pub on_expiry: Option<Response>,
    /// Built-in fragments (`@name`) and local ones, in order.
    pub extends: Vec<(String, Span)>,
    /// Are rules that cannot be decided before the act errors?
    pub strict: bool,
    /// What makes a process the root of a session.
    pub matches: Vec<Match>,
    /// `[network]`.
    pub network: Network,
    /// `[files]`.
    pub files: Files,
    /// `[exec]`.
    pub exec: Exec,
    /// `[sockets]`.
    pub sockets: Sockets,
    /// `[processes]`.
    pub processes: Processes,
    /// `[session]`.
    pub session: SessionActs,
    /// `[[budget]]`.
    pub budgets: Vec<Budget>,
    /// Where a budget says `tighten`, with its place among them.
    pub tightens: Option<(usize, Span)>,
    /// `[freeze]`.
    pub freeze: Option<Freeze>,
}

/// One `[[match]]`: every key that is given has to fit; in a list, one has to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The program's real path.
    pub exe: Vec<PathPattern>,
    /// The arguments.
    pub argv: Vec<ArgvGlob>,
    /// The systemd unit.
    pub unit: Option<NameGlob>,
    /// The cgroup v2 path, from the root, `/` first.
    pub cgroup: Option<PathPattern>,
    /// The user's name or number.
    pub user: Option<String>,
}

/// What every rule has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is done.
    pub response: Response,
    /// What a cut counts; the response's own where none is written.
    pub weight: Option<u32>,
    /// Why, for people.
    pub reason: Option<String>,
    /// Where the rule's table stands in the file.
    pub span: Span,
}

/// `[network]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// For what no entry names.
    pub default: Option<Response>,
    /// What may be reached.
    pub allow: Vec<(Endpoint, Span)>,
    /// `[[network.rule]]`.
    pub rules: Vec<NetworkRule>,
}

/// `[[network.rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkRule {
    /// Response, weight, reason.
    pub rule: Rule,
    /// Whom it is about; the rule's `port` and `proto` are already part of each.
    pub to: Vec<(Endpoint, Span)>,
}

/// One entry of a list of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathEntry {
    /// A pattern, one of the expansion of its text.
    Pattern(PathPattern),
    /// `@credentials`.
    Credentials,
    /// `@credentials/CLASS`: one class of the catalogue.
    CredentialClass(String),
}

/// `[files]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Files {
    /// For what no rule names.
    pub default: Option<Response>,
    /// Where `write-default` does not apply: writing is allowed there unless a rule says otherwise.
    pub write: Vec<PathPattern>,
    /// For writing what no rule and no `write` names.
    pub write_default: Option<Response>,
    /// `[[files.rule]]`.
    pub rules: Vec<FileRule>,
}

/// `[[files.rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRule {
    /// Response, weight, reason. The response is `None` where each credential class answers with its own.
    pub rule: Rule,
    /// Was no response written? Then each class of `@credentials` answers with its own.
    pub by_class: bool,
    /// What it is about.
    pub paths: Vec<(PathEntry, Span)>,
    /// Which access; never empty.
    pub access: Vec<Access>,
    /// Sanctioned uses.
    pub unless: Vec<Unless>,
}

/// `[[files.rule.unless]]`: a sanctioned use. Every key that is given has to fit; in a list, one has to.
#[derive(Clone, Debug, PartialEq)]
pub struct Unless {
    /// The program that reads or writes.
    pub exe: Vec<PathPattern>,
    /// A program somewhere above it in the session.
    pub ancestor: Vec<PathPattern>,
    /// Which of the rule's paths; all of them where empty.
    pub paths: Vec<PathPattern>,
    /// Where that process may connect afterwards; anywhere in the scope where empty.
    pub then_to: Vec<Endpoint>,
    /// Where it stands in the file.
    pub span: Span,
}

/// `[exec]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exec {
    /// For what no rule names.
    pub default: Option<Response>,
    /// `[[exec.rule]]`.
    pub rules: Vec<ExecRule>,
}

/// `[[exec.rule]]`: with both keys, both have to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecRule {
    /// Response, weight, reason.
    pub rule: Rule,
    /// Programs.
    pub exe: Vec<(PathPattern, Span)>,
    /// Arguments.
    pub argv: Vec<(ArgvGlob, Span)>,
}

/// A name of a unix socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketPattern {
    /// In the file system.
    Path(PathPattern),
    /// In the abstract name space, `@name` in the scope file, kept without the `@`.
    Abstract(NameGlob),
}

impl SocketPattern {
    /// How specific it is, on the scale of [`PathPattern::rank`]: an abstract name without a `*` counts as a path, one
    /// with a `*` as a name anywhere.
    #[must_use]
    pub fn rank(&self) -> u16 {
        match self {
            Self::Path(pattern) => pattern.rank(),
            Self::Abstract(name) if name.is_exact() => PathPattern::Exact(name.prefix().to_owned()).rank(),
            Self::Abstract(name) => PathPattern::Anywhere {
                parent: None,
                name: name.clone(),
            }
            .rank(),
        }
    }
}

impl std::fmt::Display for SocketPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(pattern) => pattern.fmt(f),
            Self::Abstract(name) => write!(f, "@{name}"),
        }
    }
}

/// `[sockets]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sockets {
    /// For what no rule names.
    pub default: Option<Response>,
    /// `[[sockets.rule]]`.
    pub rules: Vec<SocketRule>,
}

/// `[[sockets.rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketRule {
    /// Response, weight, reason.
    pub rule: Rule,
    /// Which sockets.
    pub path: Vec<(SocketPattern, Span)>,
}

/// `[processes]`: acts on processes outside the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processes {
    /// ptrace, process memory, descriptors.
    pub trace: Option<(Response, Span)>,
    /// Signals.
    pub signal: Option<(Response, Span)>,
}

/// `[session]`: ways out of the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionActs {
    /// Another service is asked to start something.
    pub requested_start: Option<(Response, Span)>,
    /// Moves to another cgroup or another's namespaces.
    pub leave: Option<(Response, Span)>,
    /// Mounts that give things other names.
    pub mount: Option<(Response, Span)>,
    /// Something is reached after a person's credential was read outside sanctioned use.
    pub borrowed_identity: Option<(Response, Span)>,
}

/// Whose weight a budget adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// One session.
    #[default]
    Session,
    /// Every session of this agent.
    Agent,
    /// Every session of this owner.
    Owner,
    /// Every session on this host.
    Host,
}

/// `[[budget]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How much may gather; at least 1.
    pub weight: u32,
    /// In how long; at least a second.
    pub within: Duration,
    /// Whose.
    pub account: Account,
    /// What is done when it is used up.
    pub response: Step,
}

/// `[freeze]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// How long a frozen session waits for a person; at least a second.
    pub timeout: Duration,
    /// What is done then.
    pub then: AfterFreeze,
}

/// What becomes of a frozen session that nobody decided about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterFreeze {
    /// It dies.
    #[default]
    Kill,
    /// It runs on.
    Thaw,
    /// It stays frozen.
    Freeze,
}

/// The weight of a cut whose rule names none: allow 0, flag 1, deny 5, freeze 10, kill 20.
#[must_use]
pub const fn default_weight(response: Response) -> u32 {
    match response {
        Response::Allow => 0,
        Response::Flag => 1,
        Response::Deny => 5,
        Response::Freeze => 10,
        Response::Kill => 20,
    }
}
