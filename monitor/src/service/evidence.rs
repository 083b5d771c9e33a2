//! What a frozen session had open, kept for whoever decides: its processes stand still while this is read.

use std::{
    collections::HashMap,
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use procfs::process::{FDTarget, Process};
use serde::Serialize;

use crate::{
    api::types::{Pending, SessionInfo, TreeNode},
    pipeline::Monitor,
    record::{
        event::EventRecord,
        filter::{Filter, Order},
    },
};

/// The version tag of the file.
const SCHEMA: &str = "scopeward.evidence/1";
/// Most processes, descriptors of one process and mappings of one process that are kept; what is left out is counted.
const PROCESSES: usize = 512;
const DESCRIPTORS: usize = 1_024;
const MAPPINGS: usize = 2_048;
/// The latest acts of the session.
const ACTS: usize = 200;
/// Files that are kept; the oldest go.
const KEPT: usize = 200;

/// The whole file.
#[derive(Debug, Serialize)]
struct Evidence {
    schema: &'static str,
    taken: jiff::Timestamp,
    session: SessionInfo,
    pending: Option<Pending>,
    tree: Vec<TreeNode>,
    processes: Vec<ProcessState>,
    /// Processes that were not looked at.
    processes_left_out: usize,
    /// The latest acts, the newest first.
    acts: Vec<EventRecord>,
}

/// One process. What could not be read is `null`.
#[derive(Debug, Serialize)]
struct ProcessState {
    pid: u32,
    exe: Option<String>,
    cwd: Option<String>,
    root: Option<String>,
    argv: Option<Vec<String>>,
    state: Option<String>,
    uids: Option<[u32; 4]>,
    threads: Option<u64>,
    descriptors: Option<Vec<Descriptor>>,
    descriptors_left_out: usize,
    mappings: Option<Vec<String>>,
    mappings_left_out: usize,
}

/// One open descriptor.
#[derive(Debug, Serialize)]
struct Descriptor {
    fd: i32,
    is: String,
}

impl Monitor {
    /// Keeps the evidence of sessions that were frozen since this was last called, on a thread of its own.
    pub fn keep_evidence(self: &Arc<Self>) {
        let due = std::mem::take(&mut self.lock().evidence_due);
        for key in due {
            let monitor = Arc::clone(self);
            let started = std::thread::Builder::new()
                .name("evidence".to_owned())
                .spawn(move || monitor.keep_evidence_of(key));
            if started.is_err() {
                self.lock()
                    .trouble("evidence of a frozen session could not be kept");
            }
        }
    }

    fn keep_evidence_of(&self, key: u64) {
        let Some(directory) = self.settings.evidence.as_deref() else {
            return;
        };
        let Some((session, pending, tree)) = self.frozen_state(key) else {
            return;
        };
        let mut pids = Vec::new();
        tree.iter().for_each(|node| alive(node, &mut pids));
        let acts = self.latest_acts(&session.id);
        let evidence = Evidence {
            schema: SCHEMA,
            taken: jiff::Timestamp::now(),
            pending,
            tree,
            processes_left_out: pids.len().saturating_sub(PROCESSES),
            processes: pids
                .iter()
                .take(PROCESSES)
                .map(|pid| process_state(*pid))
                .collect(),
            acts,
            session,
        };
        let name = format!("{}-{}.json", evidence.session.id, evidence.taken.as_millisecond());
        let path = directory.join(name);
        let written = write(directory, &path, &evidence);
        let mut state = self.lock();
        match written {
            Ok(()) => {
                if let Some(session) = state.sessions.get_mut(key) {
                    session.evidence = Some(path);
                }
                state.note_again(key);
            }
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "evidence of a frozen session");
                state.trouble("evidence of a frozen session could not be kept");
            }
        }
    }

    fn frozen_state(&self, key: u64) -> Option<(SessionInfo, Option<Pending>, Vec<TreeNode>)> {
        let mut state = self.lock();
        state.read_counters(key);
        let session = state.session_info(key, state.sessions.get(key)?);
        let pending = state.pending().into_iter().find(|one| one.session == session.id);
        Some((session, pending, state.trees(key)))
    }

    fn latest_acts(&self, session: &str) -> Vec<EventRecord> {
        let filter = Filter {
            session: vec![session.to_owned()],
            limit: Some(ACTS),
            order: Order::Newest,
            ..Filter::default()
        };
        let found = self.store().map(|store| store.query(&filter));
        found.and_then(Result::ok).unwrap_or_default()
    }
}

fn alive(node: &TreeNode, pids: &mut Vec<u32>) {
    if node.alive {
        pids.push(node.pid);
    }
    node.children.iter().for_each(|child| alive(child, pids));
}

fn process_state(pid: u32) -> ProcessState {
    let process = i32::try_from(pid).ok().and_then(|pid| Process::new(pid).ok());
    let process = process.as_ref();
    let path = |path: procfs::ProcResult<PathBuf>| path.ok().map(|path| path.to_string_lossy().into_owned());
    let status = process.and_then(|process| process.status().ok());
    let mut mappings = process.and_then(mappings);
    let mut descriptors = process.and_then(descriptors);
    let (mut descriptors_left_out, mut mappings_left_out) = (0, 0);
    if let Some(all) = &mut descriptors {
        descriptors_left_out = all.len().saturating_sub(DESCRIPTORS);
        all.truncate(DESCRIPTORS);
    }
    if let Some(all) = &mut mappings {
        mappings_left_out = all.len().saturating_sub(MAPPINGS);
        all.truncate(MAPPINGS);
    }
    ProcessState {
        pid,
        exe: process.and_then(|process| path(process.exe())),
        cwd: process.and_then(|process| path(process.cwd())),
        root: process.and_then(|process| path(process.root())),
        argv: process.and_then(|process| process.cmdline().ok()),
        state: status.as_ref().map(|status| status.state.clone()),
        uids: status
            .as_ref()
            .map(|status| [status.ruid, status.euid, status.suid, status.fuid]),
        threads: status.as_ref().map(|status| status.threads),
        descriptors,
        descriptors_left_out,
        mappings,
        mappings_left_out,
    }
}

/// `address-address perms offset device inode path`, as the kernel has it.
fn mappings(process: &Process) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{}/maps", process.pid())).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

fn descriptors(process: &Process) -> Option<Vec<Descriptor>> {
    let sockets = sockets(process);
    let all = process.fd().ok()?.filter_map(Result::ok);
    Some(
        all.map(|one| Descriptor {
            fd: one.fd,
            is: match one.target {
                FDTarget::Path(path) => path.to_string_lossy().into_owned(),
                FDTarget::Socket(inode) => sockets
                    .get(&inode)
                    .cloned()
                    .unwrap_or_else(|| format!("socket {inode}")),
                FDTarget::Pipe(inode) => format!("pipe {inode}"),
                FDTarget::Net(inode) => format!("network namespace {inode}"),
                FDTarget::AnonInode(kind) => format!("anonymous {kind}"),
                FDTarget::MemFD(name) => format!("memfd {name}"),
                FDTarget::Other(kind, inode) => format!("{kind} {inode}"),
                FDTarget::Unknown(kind, id) => format!("{kind:?} {id:?}"),
            },
        })
        .collect(),
    )
}

/// The sockets of the process's network namespace, by inode.
fn sockets(process: &Process) -> HashMap<u64, String> {
    let mut found = HashMap::new();
    for (name, entries) in [("tcp", process.tcp()), ("tcp6", process.tcp6())] {
        for one in entries.into_iter().flatten() {
            let words = format!(
                "{name} {} -> {} {:?}",
                one.local_address, one.remote_address, one.state
            );
            found.insert(one.inode, words);
        }
    }
    for (name, entries) in [("udp", process.udp()), ("udp6", process.udp6())] {
        for one in entries.into_iter().flatten() {
            found.insert(
                one.inode,
                format!("{name} {} -> {}", one.local_address, one.remote_address),
            );
        }
    }
    for one in process.unix().into_iter().flatten() {
        let path = one
            .path
            .map_or_else(String::new, |path| format!(" {}", path.display()));
        found.insert(one.inode, format!("unix{path}"));
    }
    found
}

fn write(directory: &Path, path: &Path, evidence: &Evidence) -> std::io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let fresh = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(&serde_json::to_vec(evidence)?)?;
    file.sync_all()?;
    fs::rename(fresh, path)?;
    forget_oldest(directory)
}

fn forget_oldest(directory: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    let surplus = files.len().saturating_sub(KEPT);
    for (_, path) in files.into_iter().take(surplus) {
        fs::remove_file(path)?;
    }
    Ok(())
}
