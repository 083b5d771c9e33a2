//! A tier with an arbiter that denies its members everything, and records what it saw.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use scopeward::observe::fanotify::{
    Answer, Arbiter, Change, ChangeKind, Fanotify, Guarded, Observer, Opening, Settings,
};

use crate::actor::Actor;

/// What was asked, as far as tests look at it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub pid: i32,
    pub exec: bool,
    pub read: bool,
    pub dev: (u32, u32),
    pub inode: u64,
    pub path: Option<PathBuf>,
}

#[derive(Default)]
pub struct Seen {
    members: Mutex<HashSet<i32>>,
    pub asked: Mutex<Vec<Asked>>,
    pub changes: Mutex<Vec<Change>>,
    pub refreshed: Mutex<Vec<(PathBuf, u64)>>,
    /// How long each verdict takes.
    pub delay: Mutex<Duration>,
    /// Callbacks panic.
    pub fails: AtomicBool,
}

impl Seen {
    fn fail(&self) {
        assert!(!self.fails.load(Ordering::SeqCst), "as the test wants it");
    }
}

impl Arbiter for Seen {
    fn is_member(&self, pid: i32) -> bool {
        self.members.lock().unwrap().contains(&pid)
    }

    fn decide(&self, opening: &Opening<'_>) -> Answer {
        let delay = *self.delay.lock().unwrap();
        std::thread::sleep(delay);
        self.fail();
        let &Opening {
            pid,
            exec,
            read,
            dev,
            inode,
            path,
            ..
        } = opening;
        self.asked.lock().unwrap().push(Asked {
            pid,
            exec,
            read,
            dev,
            inode,
            path: path.map(Path::to_owned),
        });
        Answer::Deny
    }
}

impl Observer for Seen {
    fn was_member(&self, pid: i32) -> bool {
        self.is_member(pid)
    }

    fn changed(&self, change: &Change) {
        self.changes.lock().unwrap().push(change.clone());
    }

    fn refreshed(&self, path: &Path, _dev: (u32, u32), inode: u64) {
        self.fail();
        self.refreshed.lock().unwrap().push((path.to_owned(), inode));
    }
}

pub struct Session {
    pub tier: Fanotify,
    pub seen: Arc<Seen>,
    pub dir: tempfile::TempDir,
}

/// Says why a test cannot run here.
pub fn can_run() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: fanotify permission events need root");
    }
    root
}

pub fn settings() -> Settings {
    Settings {
        watchdog: PathBuf::from(env!("CARGO_BIN_EXE_scopeward")),
        first_pause: Duration::from_millis(200),
        ..Settings::default()
    }
}

impl Session {
    /// A directory with `key` in it, guarded.
    pub fn new() -> Self {
        Self::with(settings(), |dir| Guarded {
            exact: vec![dir.join("key")],
            ..Guarded::default()
        })
    }

    pub fn with(settings: Settings, guarded: impl FnOnce(&Path) -> Guarded) -> Self {
        // On a real filesystem: a tmpfs would do, but is not where credentials are.
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::write(dir.path().join("key"), "secret").unwrap();
        let seen = Arc::new(Seen::default());
        let tier = Fanotify::start(settings, seen.clone(), seen.clone()).unwrap();
        tier.set(&guarded(dir.path())).unwrap();
        Self { tier, seen, dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What an act comes to (an errno, 0 for done) when a member does it.
    pub fn member(&self, act: &str, paths: &[&Path]) -> i32 {
        self.member_pid(act, paths).1
    }

    pub fn member_pid(&self, act: &str, paths: &[&Path]) -> (i32, i32) {
        let actor = Actor::start(act, paths);
        let pid = actor.pid();
        self.seen.members.lock().unwrap().insert(pid);
        (pid, actor.finish())
    }

    pub fn enrol(&self, pid: i32) {
        self.seen.members.lock().unwrap().insert(pid);
    }

    /// The changes told so far and within the next moment that satisfy `wanted`.
    pub fn change(&self, pid: i32, kind: ChangeKind) -> Option<Change> {
        let is_it = |change: &&Change| change.pid == pid && change.kind == kind;
        within(Duration::from_secs(2), || {
            self.seen.changes.lock().unwrap().iter().find(is_it).cloned()
        })
    }
}

/// What an act comes to when a process outside does it.
pub fn outsider(act: &str, paths: &[&Path]) -> i32 {
    Actor::start(act, paths).finish()
}

/// Asks again until there is an answer.
pub fn within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        match ask() {
            None if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(5)),
            answer => return answer,
        }
    }
}
