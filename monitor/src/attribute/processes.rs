//! The processes of all sessions, from the kernel's own events; `/proc` fills in what was there before.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::decode::ExecFacts;

/// Most processes that are remembered after their end, for late events and for trees.
const DEAD_MAX: usize = 4_096;
/// Most programs that are shown of a lineage.
const LINEAGE_MAX: usize = 64;

/// One process.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// The session's key.
    pub session: u64,
    /// Start of the process, boot clock, ns.
    pub cookie: u64,
    /// The parent.
    pub ppid: u32,
    /// The parent's cookie; 0 where unknown.
    pub parent_cookie: u64,
    /// The program.
    pub exe: Option<Arc<str>>,
    /// The script, where the program is an interpreter started for one.
    pub script: Option<Arc<str>>,
    /// The arguments.
    pub argv: Arc<[String]>,
    /// The working directory.
    pub cwd: Option<Arc<str>>,
    /// The effective user.
    pub uid: u32,
    /// Whether it runs.
    pub alive: bool,
    /// Its cuts.
    pub cuts: u64,
}

/// Processes by id; an id that is used again replaces what was there.
#[derive(Debug, Default)]
pub struct Processes {
    table: HashMap<u32, Process>,
    dead: VecDeque<(u32, u64)>,
}

impl Processes {
    /// A process, alive or lately ended.
    #[must_use]
    pub fn get(&self, pid: u32) -> Option<&Process> {
        self.table.get(&pid)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, pid: u32) -> Option<&mut Process> {
        self.table.get_mut(&pid)
    }

    /// Every process of a session.
    pub fn of_session(&self, session: u64) -> impl Iterator<Item = (u32, &Process)> {
        self.table
            .iter()
            .filter(move |(_, process)| process.session == session)
            .map(|(pid, process)| (*pid, process))
    }

    /// Takes in a process that runs already.
    pub fn found(&mut self, pid: u32, session: u64, cookie: u64) {
        if self.table.get(&pid).is_some_and(|known| known.cookie == cookie) {
            return;
        }
        let mut process = from_proc(pid);
        process.session = session;
        process.cookie = cookie;
        process.parent_cookie = self.table.get(&process.ppid).map_or(0, |parent| parent.cookie);
        self.table.insert(pid, process);
    }

    /// Looks at a member that waits for an answer: its last exec may still be in the ring.
    pub fn look_again(&mut self, pid: u32, session: u64, cookie: u64) {
        self.found(pid, session, cookie);
        let now = from_proc(pid);
        let Some(process) = self.table.get_mut(&pid) else {
            return;
        };
        if now.exe.is_some() && now.exe != process.exe {
            (process.exe, process.argv, process.script) = (now.exe, now.argv, None);
            process.cwd = now.cwd;
        }
    }

    /// A fork: the child is what its parent is.
    pub fn forked(&mut self, parent: u32, parent_cookie: u64, session: u64, pid: u32, cookie: u64) {
        let above = self
            .table
            .get(&parent)
            .filter(|known| known.cookie == parent_cookie);
        let mut process = above.cloned().unwrap_or_else(|| from_proc(pid));
        process.session = session;
        process.cookie = cookie;
        process.ppid = parent;
        process.parent_cookie = parent_cookie;
        process.alive = true;
        process.cuts = 0;
        self.table.insert(pid, process);
    }

    /// An exec: another program in the same process.
    pub fn executed(&mut self, pid: u32, session: u64, cookie: u64, facts: &ExecFacts) {
        let process = self.table.entry(pid).or_default();
        if process.cookie != cookie {
            *process = Process {
                cookie,
                ..Process::default()
            };
        }
        process.session = session;
        process.ppid = facts.ppid;
        process.exe = facts.path.as_deref().map(Arc::from);
        process.script = script(facts).map(Arc::from);
        process.argv = facts.argv.as_slice().into();
        process.cwd = facts.cwd.as_deref().map(Arc::from);
        process.uid = facts.uid;
        process.alive = true;
        let ppid = facts.ppid;
        let parent_cookie = self.table.get(&ppid).map_or(0, |parent| parent.cookie);
        if let Some(process) = self.table.get_mut(&pid) {
            process.parent_cookie = parent_cookie;
        }
    }

    /// The end of a process. It is remembered for a while.
    pub fn ended(&mut self, pid: u32, cookie: u64) {
        let Some(process) = self.table.get_mut(&pid).filter(|known| known.cookie == cookie) else {
            return;
        };
        process.alive = false;
        self.dead.push_back((pid, cookie));
        while self.dead.len() > DEAD_MAX {
            let Some((pid, cookie)) = self.dead.pop_front() else {
                return;
            };
            if self
                .table
                .get(&pid)
                .is_some_and(|known| known.cookie == cookie && !known.alive)
            {
                self.table.remove(&pid);
            }
        }
    }

    /// The process and its ancestors within the session, itself first.
    pub fn chain(&self, pid: u32) -> Vec<(u32, &Process)> {
        let mut chain = Vec::new();
        let mut at = pid;
        let mut wanted = None;
        while let Some(process) = self.table.get(&at) {
            if wanted.is_some_and(|cookie| cookie != process.cookie) || chain.len() >= LINEAGE_MAX {
                break;
            }
            chain.push((at, process));
            if process.parent_cookie == 0 || process.ppid == at {
                break;
            }
            wanted = Some(process.parent_cookie);
            at = process.ppid;
        }
        chain
    }
}

/// The script of an interpreter: what was given to execve, where that is not the program itself.
fn script(facts: &ExecFacts) -> Option<&str> {
    let base = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let program = facts.path.as_deref()?;
    let is_program = base(&facts.file) == base(program);
    let interpreted = facts.argv.contains(&facts.file);
    (!is_program && interpreted && facts.argv.first() != Some(&facts.file)).then_some(facts.file.as_str())
}

/// What `/proc` says of a process that was not seen to start.
fn from_proc(pid: u32) -> Process {
    let mut process = Process {
        alive: true,
        ..Process::default()
    };
    let link = |name: &str| std::fs::read_link(format!("/proc/{pid}/{name}")).ok();
    process.exe = link("exe").map(|path| path.to_string_lossy().into());
    process.cwd = link("cwd").map(|path| path.to_string_lossy().into());
    if let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) {
        process.argv = line
            .split(|byte| *byte == 0)
            .map(|argument| String::from_utf8_lossy(argument).into_owned())
            .filter(|argument| !argument.is_empty())
            .collect();
    }
    if let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) {
        let field = |name: &str, at: usize| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.split_whitespace().nth(at)?.parse().ok())
        };
        process.ppid = field("PPid:", 0).unwrap_or(0);
        process.uid = field("Uid:", 1).unwrap_or(0);
    }
    process
}

/// The parent of a process; 0 for one that is gone.
#[must_use]
pub fn parent(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let number = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    number.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_pid_does_not_lengthen_a_lineage() {
        let mut processes = Processes::default();
        processes.found(1, 7, 100);
        processes.forked(1, 100, 7, 50, 200);
        processes.forked(50, 200, 7, 60, 300);
        assert_eq!(
            processes
                .chain(60)
                .iter()
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
            [60, 50, 1]
        );
        processes.ended(50, 200);
        processes.forked(1, 100, 7, 50, 400);
        assert_eq!(
            processes
                .chain(60)
                .iter()
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
            [60]
        );
    }
}
