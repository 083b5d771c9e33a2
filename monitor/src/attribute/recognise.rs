//! Which scope a process that runs, or starts, belongs to.

use crate::scope::{model::Match, pattern::PathPattern};

/// What is known of a process that may be an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The program.
    pub exe: String,
    /// The arguments.
    pub argv: Vec<String>,
    /// The user's name and id.
    pub user: (Option<String>, u32),
    /// Its cgroup (v2, or systemd's own hierarchy), as `/system.slice/my-agent.service`.
    pub cgroup: String,
}

/// Whether a `[[match]]` entry (resolved for the user's home) takes this process: every condition that it names.
#[must_use]
pub fn matches(entry: &Match, candidate: &Candidate) -> bool {
    let exe = entry.exe.is_empty() || entry.exe.iter().any(|pattern| pattern.matches(&candidate.exe));
    let argv = entry.argv.is_empty() || entry.argv.iter().any(|glob| glob.matches(&candidate.argv));
    let unit = entry
        .unit
        .as_ref()
        .is_none_or(|unit| candidate.cgroup.split('/').any(|part| unit.matches(part)));
    let cgroup = entry
        .cgroup
        .as_ref()
        .is_none_or(|pattern| fits_cgroup(pattern, &candidate.cgroup));
    let user = entry
        .user
        .as_ref()
        .is_none_or(|user| candidate.user.0.as_ref() == Some(user) || user.parse() == Ok(candidate.user.1));
    let says_something = !entry.exe.is_empty()
        || !entry.argv.is_empty()
        || entry.unit.is_some()
        || entry.cgroup.is_some()
        || entry.user.is_some();
    says_something && exe && argv && unit && cgroup && user
}

fn fits_cgroup(pattern: &PathPattern, cgroup: &str) -> bool {
    pattern.matches(cgroup)
}

/// What `/proc` says of a process.
#[must_use]
pub fn candidate(pid: u32) -> Option<Candidate> {
    let exe = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let uid = effective_uid(pid)?;
    Some(Candidate {
        exe: exe.to_string_lossy().into_owned(),
        argv: line
            .split(|byte| *byte == 0)
            .map(|argument| String::from_utf8_lossy(argument).into_owned())
            .filter(|argument| !argument.is_empty())
            .collect(),
        user: (super::owner::name(uid), uid),
        cgroup: cgroup(pid),
    })
}

/// The effective user of a process.
#[must_use]
pub fn effective_uid(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1)?.parse().ok())
}

/// The cgroup of a process: of v2, or where that is the root of systemd's hierarchy.
#[must_use]
pub fn cgroup(pid: u32) -> String {
    let list = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let of = |prefix: &str| {
        list.lines()
            .find_map(|line| Some(line.strip_prefix(prefix)?.to_owned()))
    };
    let unified = of("0::").filter(|path| path != "/");
    let systemd = || {
        list.lines()
            .find_map(|line| Some(line.split_once(":name=systemd:")?.1.to_owned()))
    };
    unified.or_else(systemd).unwrap_or_else(|| "/".to_owned())
}
