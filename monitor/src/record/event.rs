//! The event record of product.md: the same in the store, the API, the exporters and `--events`.

use serde::{Deserialize, Serialize};

use crate::scope::words::{Access, Kind, Response, Tier, When};

/// The version tag of every record.
pub const SCHEMA: &str = "scopeward.event/1";

/// One act of a session, with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventRecord {
    /// Always `scopeward.event/1`.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
    pub schema: String,
    /// ULID: unique, and sorted by time.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9A-HJKMNP-TV-Z]{26}$")))]
    pub id: String,
    /// When the kernel saw the act; UTC, nanoseconds.
    pub time: jiff::Timestamp,
    /// The machine.
    pub host: Host,
    /// The session that acted.
    pub session: SessionRef,
    /// The process that acted.
    pub process: ProcessRef,
    /// What it did.
    pub act: ActRecord,
    /// What was called for, and what was done.
    pub verdict: VerdictRecord,
    /// What the cut counts in the budget; 0 for what is allowed.
    pub weight: u32,
    /// How many acts this record stands for (same session, object and verdict); at least 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
    /// The generation of the scope that decided.
    pub generation: u32,
    /// Its place in the chain of the stored record; absent before it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<ChainPlace>,
}

/// Where a stored record stands in the chain that `scopeward verify` walks over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChainPlace {
    /// Its number in the store, from 1.
    pub number: u64,
    /// The first eight bytes of its link, in hexadecimal digits.
    pub link: String,
}

const fn one() -> u64 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_one(count: &u64) -> bool {
    *count == 1
}

/// The machine an event comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Host {
    /// The host's name.
    pub name: String,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// `/etc/machine-id`, where there is one.
    pub machine_id: Option<String>,
}

/// The session of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SessionRef {
    /// `s-` and 16 hexadecimal digits.
    #[cfg_attr(test, schemars(regex(pattern = "^s-[0-9a-f]{16}$")))]
    pub id: String,
    /// The scope's name.
    pub agent: String,
    /// Process id of the session's root.
    pub root_pid: u32,
    /// The agent's own session id, where its environment has one.
    pub agent_session: Option<String>,
    /// The human for whom it runs.
    pub owner: Owner,
}

/// The human for whom a session runs. What is unknown is `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Owner {
    /// The user id.
    pub uid: u32,
    /// The user's name.
    pub name: Option<String>,
    /// The audit login session.
    pub login_session: Option<u32>,
    /// The controlling terminal.
    pub tty: Option<String>,
}

/// The process of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProcessRef {
    /// Process id (of the thread group), as the host sees it.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// The parent's process id; 0 where unknown.
    pub ppid: u32,
    /// When the process started.
    pub started: Option<jiff::Timestamp>,
    /// The program's path.
    pub exe: Option<String>,
    /// The script, where the program is an interpreter that was started for one.
    pub script: Option<String>,
    /// The arguments.
    pub argv: Vec<String>,
    /// The working directory.
    pub cwd: Option<String>,
    /// The effective user id.
    pub uid: u32,
    /// Program names from the session's root to this process.
    pub lineage: Vec<String>,
}

/// What was done. Fields that a kind does not have are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ActRecord {
    /// Which kind of act.
    pub kind: Kind,
    /// The object's path, as the host sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The second path of a rename or link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The pattern of the scope that guards this object, where it is guarded; differs from `path` for an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarded_as: Option<String>,
    /// The person's credential that was read before something was reached; empty where it is not known which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borrowed: Option<String>,
    /// How a file was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Access>,
    /// The device of the file, `major:minor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<String>,
    /// The file's inode number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// The remote address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<std::net::IpAddr>,
    /// The remote port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `tcp`, `udp`, `icmp`, `raw`, or the protocol's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The name of the scope's endpoint that this address stands for, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The exit status of a process, as a shell shows it (128 + signal where a signal ended it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u32>,
    /// The socket's address family, for `socket.create`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The other process of `process.trace`, `process.signal`, `monitor.tamper` and `cgroup.move`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_pid: Option<u32>,
    /// By which call, where a kind has several: `ptrace`, `process_vm`, `pidfd`, `proc`, `SIGTERM`, `setns`, `bpf`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Where the session comes from, for `session.owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
    /// What was decided, for `grant.*` and `session.{freeze,thaw,kill}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Box<DecisionRecord>>,
}

/// Where a session comes from. What is unknown is `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Origin {
    /// Who logged in (audit's loginuid).
    pub login_uid: Option<u32>,
    /// The name of that user.
    pub login_name: Option<String>,
    /// The audit login session.
    pub login_session: Option<u32>,
    /// Changes of user on the way from the login to the agent, the first one first.
    pub sudo: Vec<SudoStep>,
    /// The ssh connection.
    pub ssh: Option<Ssh>,
    /// The controlling terminal.
    pub tty: Option<String>,
    /// The innermost systemd unit.
    pub unit: Option<String>,
    /// The container's id.
    pub container: Option<String>,
    /// The cgroup (v2) that it was started in.
    pub cgroup: Option<String>,
    /// The working directory.
    pub cwd: Option<String>,
    /// The repository that the working directory is in.
    pub repository: Option<Repository>,
    /// As whom git would commit there; the agent can write this itself.
    pub git: Option<GitIdentity>,
    /// The agent's own session id, from its environment; the agent can write this itself.
    pub agent_session: Option<String>,
}

/// One change of user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SudoStep {
    /// `sudo`, `su`, …
    pub program: String,
    /// The user id before.
    pub from: u32,
    /// The user id after.
    pub to: u32,
}

/// An ssh connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ssh {
    /// Where the person is.
    pub client: std::net::IpAddr,
    /// Their port.
    pub client_port: u16,
    /// The address here.
    pub server: std::net::IpAddr,
    /// The port here.
    pub server_port: u16,
    /// True where a process that sshd started says so; otherwise some ancestor's environment does, which anybody can set.
    pub from_sshd: bool,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Repository {
    /// Its directory.
    pub root: String,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// Where `origin` is, without a name and password.
    pub remote: Option<String>,
}

/// Who commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GitIdentity {
    /// `user.name`.
    pub name: Option<String>,
    /// `user.email`.
    pub email: Option<String>,
}

/// What a person, or the clock, decided about a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DecisionRecord {
    /// Who decided; `null` where nobody did, and the scope's own answer or the clock stood in.
    pub by: Option<Owner>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// The grant that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The event that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// When the agent's act asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<jiff::Timestamp>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<jiff::Timestamp>,
    /// How many acts went through by the grant, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
}

impl ActRecord {
    /// An act of `kind` with no other facts.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            path: None,
            to: None,
            guarded_as: None,
            borrowed: None,
            access: Vec::new(),
            dev: None,
            inode: None,
            address: None,
            port: None,
            protocol: None,
            name: None,
            status: None,
            family: None,
            target_pid: None,
            call: None,
            origin: None,
            decision: None,
        }
    }
}

/// An act in one line, as `file.open /home/dev/.netrc`.
#[must_use]
pub fn act_line(act: &ActRecord) -> String {
    let object = match (&act.path, act.address, act.port) {
        (Some(path), _, _) => path.clone(),
        (None, Some(address), Some(port)) => std::net::SocketAddr::new(address, port).to_string(),
        (None, Some(address), None) => address.to_string(),
        _ if act.call.is_some() || act.target_pid.is_some() => {
            let target = act.target_pid.map(|pid| format!(" on process {pid}"));
            act.call.clone().unwrap_or_default() + &target.unwrap_or_default()
        }
        _ => act.protocol.clone().unwrap_or_default(),
    };
    format!("{} {object}", act.kind.word()).trim_end().to_owned()
}

/// The answer to an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VerdictRecord {
    /// What the scope called for.
    pub called_for: Response,
    /// What was really done.
    pub applied: Response,
    /// When, relative to the act.
    pub when: When,
    /// Which mechanism did it.
    pub tier: Tier,
    /// The scope's name.
    pub scope: String,
    /// The rule that decided, as `files.rule[0]` or `network.default`; `null` for what is allowed by default.
    pub rule: Option<String>,
    /// The reason that the scope's author wrote.
    pub reason: Option<String>,
    /// The grant that allowed it.
    pub grant: Option<String>,
}
