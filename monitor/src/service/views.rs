//! What the API shows of sessions, and of what holds them.

use crate::{
    api::types::{SessionInfo, TierGuarantee, TreeNode},
    attribute::{processes::Process, sessions::Session},
    observe::fanotify::FanotifyState,
    scope::words::Tier,
    service::state::State,
};

impl State {
    /// A session in full.
    #[must_use]
    pub fn session_info(&self, key: u64, session: &Session) -> SessionInfo {
        let processes = self
            .processes
            .of_session(key)
            .filter(|(_, process)| process.alive)
            .count();
        SessionInfo {
            id: session.facts.id.clone(),
            agent: session.facts.agent.clone(),
            scope: session.facts.agent.clone(),
            mode: session.mode,
            root_pid: session.facts.root_pid,
            owner: session.owner().clone(),
            origin: session.origin.clone(),
            since: session.since,
            status: session.state.clone(),
            tightened: session.tightened.clone(),
            budget: None,
            processes: processes as u64,
            acts: session.acts + session.cuts + session.own_cuts,
            cuts: session.cuts + session.own_cuts,
            last_cut: session.last_cut.clone(),
        }
    }

    /// Its processes: the root first, then those whose parent in the session is gone.
    #[must_use]
    pub fn trees(&self, key: u64) -> Vec<TreeNode> {
        let mut all: Vec<(u32, &Process)> = self.processes.of_session(key).collect();
        all.sort_by_key(|(pid, process)| (process.cookie, *pid));
        let is_known = |pid: u32, cookie: u64| {
            all.iter()
                .any(|(other, known)| *other == pid && known.cookie == cookie)
        };
        let mut roots: Vec<TreeNode> = all
            .iter()
            .filter(|(pid, process)| process.ppid == *pid || !is_known(process.ppid, process.parent_cookie))
            .map(|(pid, process)| self.node(*pid, process, &all, 0))
            .collect();
        let root = self.sessions.get(key).map(|session| session.facts.root_pid);
        roots.sort_by_key(|node| Some(node.pid) != root);
        roots
    }

    fn node(&self, pid: u32, process: &Process, all: &[(u32, &Process)], depth: usize) -> TreeNode {
        /// Deeper than any tree of processes that a person reads.
        const DEPTH_MAX: usize = 256;
        let children = all
            .iter()
            .filter(|(child, below)| {
                *child != pid
                    && below.ppid == pid
                    && below.parent_cookie == process.cookie
                    && depth < DEPTH_MAX
            })
            .map(|(child, below)| self.node(*child, below, all, depth + 1))
            .collect();
        TreeNode {
            pid,
            ppid: process.ppid,
            exe: process.exe.as_deref().map(str::to_owned),
            argv: process.argv.to_vec(),
            uid: process.uid,
            started: (process.cookie != 0).then(|| self.clock.wall(process.cookie)),
            alive: process.alive,
            cuts: process.cuts,
            children,
        }
    }
}

/// What holds each kind of act, in words; never more than is so at this moment.
#[must_use]
pub fn guarantees(
    denies: Option<Tier>,
    changes: Option<Tier>,
    marks: Option<&FanotifyState>,
) -> Vec<TierGuarantee> {
    let marked = matches!(marks, Some(FanotifyState::Active { .. } | FanotifyState::Idle));
    let files = if denies.is_some() {
        "what the scope guards is refused before the open, whatever the call, and names anywhere (**/.env) too; the daemon \
         need not be alive"
    } else if marked {
        "guarded files and directories are refused before the open; names anywhere (**/.env) end the process before it \
         returns to user space, but another of its threads could be faster"
    } else {
        "the process is ended before it returns to user space; another of its threads could be faster"
    };
    let of = |acts: &str, tiers: Vec<Tier>, guarantee: &str| TierGuarantee {
        acts: acts.to_owned(),
        tiers,
        guarantee: guarantee.to_owned(),
    };
    let file_tiers = if let Some(tier) = denies {
        vec![tier]
    } else if marked {
        vec![Tier::Fanotify, Tier::Tracepoint]
    } else {
        vec![Tier::Tracepoint]
    };
    vec![
        of("files", file_tiers.clone(), files),
        of(
            "changes",
            match changes {
                Some(tier) => vec![tier],
                None if marked => vec![Tier::Fanotify],
                None => Vec::new(),
            },
            if changes.is_some() {
                "rename, link, unlink, truncate and attributes are refused before the act; the daemon need not be alive"
            } else if marked {
                "rename, link, unlink, truncate and attributes of guarded things are seen by object, and answered after the act"
            } else {
                "rename, link, unlink, truncate and attributes are not seen"
            },
        ),
        of(
            "exec",
            file_tiers,
            if denies.is_some() {
                "a refused program, or script, is refused before the exec; rules about arguments are decided after it"
            } else {
                "a refused program ends before its first instruction; those in the usual directories are refused before the exec"
            },
        ),
        of(
            "network",
            denies.into_iter().chain([Tier::Cgroup]).collect(),
            "connects and sends to an address outside the scope are refused before a byte leaves",
        ),
        of(
            "services",
            vec![denies.unwrap_or(Tier::Tracepoint)],
            if denies.is_some() {
                "connects and datagrams to unix sockets are refused, by what they are bound to"
            } else {
                "whoever connects to a guarded unix socket ends before it returns to user space; a datagram has arrived by then"
            },
        ),
        of(
            "processes",
            vec![denies.unwrap_or(Tier::Tracepoint)],
            if denies.is_some() {
                "acts on other processes, mounts, namespaces and moves to another cgroup are refused"
            } else {
                "who traces others, mounts, or changes namespace or cgroup ends before it returns to user space; a signal has \
                 arrived by then"
            },
        ),
    ]
}
