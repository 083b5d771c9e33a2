//! What the monitor knows, behind one lock.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    attribute::{clock::Clock, processes::Processes, sessions::Sessions},
    decide::{compile::Names, grants::Grants},
    ledger::book::Ledger,
    observe::load::Kernel,
    record::event::{EventRecord, Host},
    service::{cases::CaseBook, host_files::HostFiles, policies::Policies, scopes::Scopes},
};

/// The monitor's knowledge.
pub struct State {
    /// The kernel side.
    pub kernel: Kernel,
    /// Compiled scopes.
    pub policies: Policies,
    /// Scope files.
    pub scopes: Scopes,
    /// What people approved.
    pub grants: Grants,
    /// Where sessions and grants are noted for the next daemon; `None` for the length of one run.
    pub notes: Option<PathBuf>,
    /// Sessions that were frozen, and whose evidence is to be kept.
    pub evidence_due: Vec<u64>,
    /// Processes of sessions.
    pub processes: Processes,
    /// Sessions.
    pub sessions: Sessions,
    /// What names stand for.
    pub names: Names,
    /// Where paths lead.
    pub files: Arc<HostFiles>,
    /// Boot clock to time of day.
    pub clock: Clock,
    /// This machine.
    pub host: Host,
    /// Where cgroup v2 is mounted.
    pub cgroup_root: PathBuf,
    /// Cgroups of sessions that have ended, while the kernel still counts a process in them.
    pub emptied: Vec<PathBuf>,
    /// Cuts that fanotify answered, by session, entry and inode: the first of each is told, then a quota.
    pub refused: HashMap<(u64, u32, u64), u64>,
    /// What went wrong in user space, by what it was.
    pub troubles: BTreeMap<&'static str, u64>,
    /// Sentences for `status`, by what they are about.
    pub degraded: BTreeMap<&'static str, String>,
    /// When there was a session last: boot clock, ns.
    pub last_session: u64,
    /// The last event's id: the next one is greater.
    pub last_id: Option<ulid::Ulid>,
    /// How the cuts add up.
    pub ledger: Ledger,
    /// Incidents, credentials to replace, decisions.
    pub cases: CaseBook,
    /// The kernel's brake stopped the session with the act that is told of now.
    pub braked: bool,
    /// Sessions that the kernel stopped, and that no event told of when it was last looked.
    pub stopped: BTreeSet<u64>,
    /// Records of used-up budgets, to be told with what is told next.
    pub answers: Vec<EventRecord>,
    /// What was open before a session began, to be told with its first event.
    pub settled: BTreeMap<u64, Vec<EventRecord>>,
    /// Events told in each of the last ten seconds.
    pub rate: [u64; 10],
}

impl State {
    /// Counts something that should not happen.
    pub fn trouble(&mut self, what: &'static str) {
        *self.troubles.entry(what).or_default() += 1;
    }

    /// Says, or takes back, that something is not as it should be.
    pub fn set_degraded(&mut self, what: &'static str, sentence: Option<String>) {
        match sentence {
            Some(sentence) => self.degraded.insert(what, sentence),
            None => self.degraded.remove(what),
        };
    }
}

/// This machine, as events name it.
#[must_use]
pub fn this_host() -> Host {
    let read = |path: &str| {
        std::fs::read_to_string(path)
            .ok()
            .map(|text| text.trim().to_owned())
    };
    Host {
        name: nix::unistd::gethostname()
            .map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned()),
        boot_id: read("/proc/sys/kernel/random/boot_id").unwrap_or_default(),
        machine_id: read("/etc/machine-id").filter(|id| !id.is_empty()),
    }
}
