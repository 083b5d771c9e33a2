//! The human for whom a process runs. What is unknown is said to be unknown.

use std::path::PathBuf;

use nix::unistd::{Uid, User};

use crate::record::event::Owner;

/// `(uid_t)-1`: the kernel's word for a login that never was.
const NOBODY: u32 = u32::MAX;

/// Names of environment variables in which agents keep their own session's id (reference: each agent's source).
const AGENT_SESSIONS: [&str; 8] = [
    "CLAUDE_CODE_SESSION_ID",
    "CODEX_THREAD_ID",
    "CURSOR_CONVERSATION_ID",
    "AMP_CURRENT_THREAD_ID",
    "AGENT_THREAD_ID",
    "QWEN_CODE_SESSION_ID",
    "PI_SESSION_ID",
    "OPENCODE_SESSION_ID",
];

/// The owner of a process: who logged in, where that is known, else `uid`.
#[must_use]
pub fn of(pid: u32, uid: u32) -> Owner {
    let number = |file: &str| -> Option<u32> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        text.trim().parse().ok().filter(|value| *value != NOBODY)
    };
    let uid = number("loginuid").unwrap_or(uid);
    Owner {
        uid,
        name: name(uid),
        login_session: number("sessionid"),
        tty: tty(pid),
    }
}

/// The name of a user.
#[must_use]
pub fn name(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map(|user| user.name)
}

/// The home of a user; `/` where there is none.
#[must_use]
pub fn home(uid: u32) -> PathBuf {
    User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map_or_else(|| PathBuf::from("/"), |user| user.dir)
}

/// The controlling terminal: `pts/N` or `ttyN` (Documentation/admin-guide/devices.txt).
#[must_use]
pub fn tty(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let device: u32 = after_name.split_whitespace().nth(4)?.parse().ok()?;
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00);
    match major {
        136..=143 => Some(format!("pts/{}", (major - 136) * 256 + minor)),
        4 if minor < 64 => Some(format!("tty{minor}")),
        4 => Some(format!("ttyS{}", minor - 64)),
        _ => None,
    }
}

/// The agent's own session id, where the environment of the process has one.
#[must_use]
pub fn agent_session(pid: u32) -> Option<String> {
    find_variable(pid, |name| AGENT_SESSIONS.contains(&name))
}

/// A variable of the environment that a process was started with.
#[must_use]
pub fn variable(pid: u32, name: &str) -> Option<String> {
    find_variable(pid, |known| known == name)
}

fn find_variable(pid: u32, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|entry| {
        let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
        (wanted(name) && !value.is_empty()).then(|| value.to_owned())
    })
}
