//! What a daemon could leave on a host: programs, maps and links in the kernel, mounts, cgroups, processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::process;

const PATIENCE: Duration = Duration::from_secs(3);

/// What a running daemon holds in the kernel, and where it works.
pub struct Holdings {
    /// Kind as bpftool calls it (`prog`, `map`, `link`), and id.
    kernel: Vec<(&'static str, u32)>,
    root: PathBuf,
}

impl Holdings {
    /// Looks at the descriptors of process `pid`, which works under `root`.
    ///
    /// # Errors
    /// A sentence, when the process is gone.
    pub fn of(pid: u32, root: &Path) -> Result<Self, String> {
        let folder = PathBuf::from(format!("/proc/{pid}/fdinfo"));
        let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
        let mut kernel = Vec::new();
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            // Descriptors come and go while we look.
            let Ok(text) = entry
                .map_err(unreadable)
                .and_then(|entry| fs::read_to_string(entry.path()).map_err(unreadable))
            else {
                continue;
            };
            for (field, kind) in [("link_id:", "link"), ("map_id:", "map"), ("prog_id:", "prog")] {
                let number = text
                    .lines()
                    .find_map(|line| line.strip_prefix(field)?.trim().parse().ok());
                kernel.extend(number.map(|id| (kind, id)));
            }
        }
        kernel.sort_unstable();
        kernel.dedup();
        Ok(Self {
            kernel,
            root: root.to_path_buf(),
        })
    }

    /// How many objects of the kernel it holds.
    pub const fn len(&self) -> usize {
        self.kernel.len()
    }

    /// What is still there of all that, and of the sessions with these ids, a phrase each; what goes within
    /// [`PATIENCE`] is gone: the kernel frees maps and programs a while after their last user.
    ///
    /// # Errors
    /// A sentence, when bpftool or /proc cannot be read.
    pub fn left(&self, sessions: &[String]) -> Result<Vec<String>, String> {
        let began = Instant::now();
        loop {
            let left = self.left_now(sessions)?;
            if left.is_empty() || began.elapsed() > PATIENCE {
                return Ok(left);
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn left_now(&self, sessions: &[String]) -> Result<Vec<String>, String> {
        let mut left = Vec::new();
        for (kind, id) in &self.kernel {
            let shown =
                process::capture(Command::new("bpftool").args([kind, "show", "id", &id.to_string()]))?;
            if shown.status.success() {
                left.push(format!("bpf {kind} {id}"));
            }
        }
        let root = self.root.display().to_string();
        let read =
            |path: &str| fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"));
        let mounts = read("/proc/self/mountinfo")?;
        left.extend(
            mounts
                .lines()
                .filter(|line| line.contains(&root))
                .map(|line| format!("mount {line}")),
        );
        for mount in mounts.lines().filter(|line| line.contains(" - cgroup2 ")) {
            let folder = PathBuf::from(mount.split(' ').nth(4).unwrap_or_default());
            left.extend(
                cgroups(&folder, sessions)
                    .iter()
                    .map(|path| format!("cgroup {}", path.display())),
            );
        }
        for entry in fs::read_dir("/proc")
            .map_err(|error| format!("cannot read /proc: {error}"))?
            .flatten()
        {
            // Threads of the kernel and processes that just ended have no command line.
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&words).contains(&root) {
                left.push(format!("process {}", entry.file_name().to_string_lossy()));
            }
        }
        Ok(left)
    }
}

/// The folders below `folder` that are named for one of `sessions`.
fn cgroups(folder: &Path, sessions: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let below = fs::read_dir(&path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        waiting.extend(below.filter(|path| path.is_dir()));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if sessions.iter().any(|session| name.contains(session.as_str())) {
            found.push(path);
        }
    }
    found
}
