//! A cgroup of its own for a session: freezing the whole tree at once.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Makes a cgroup below the one that the process is in, so that the limits above keep holding, and moves the process
/// there. `root` is where cgroup v2 is mounted, `name` the session's.
///
/// # Errors
/// What the kernel says: controllers that are on for the parent forbid it ("no internal processes").
pub fn enter(root: &Path, name: &str, pid: u32) -> io::Result<PathBuf> {
    let list = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let own = list
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .ok_or(io::ErrorKind::NotFound)?;
    let at = root
        .join(own.trim_start_matches('/'))
        .join(format!("scopeward-{name}"));
    fs::create_dir(&at)?;
    if let Err(error) = fs::write(at.join("cgroup.procs"), pid.to_string()) {
        remove(&at);
        return Err(error);
    }
    Ok(at)
}

/// Stops or starts every process in the cgroup.
///
/// # Errors
/// What the kernel says.
pub fn set_frozen(at: &Path, frozen: bool) -> io::Result<()> {
    fs::write(at.join("cgroup.freeze"), if frozen { "1" } else { "0" })
}

/// Kills every process in the cgroup (5.14).
///
/// # Errors
/// What the kernel says.
pub fn kill(at: &Path) -> io::Result<()> {
    fs::write(at.join("cgroup.kill"), "1")
}

/// Removes the cgroup of a session that has ended; whatever is left in it keeps it. Says whether it is gone: a process
/// leaves its cgroup a moment after its exit is told (`sched_process_exit` comes before `cgroup_exit`).
pub fn remove(at: &Path) -> bool {
    // The session's own sub-cgroups first, deepest first.
    if let Ok(entries) = fs::read_dir(at) {
        for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
            remove(&entry.path());
        }
    }
    fs::remove_dir(at).is_ok() || !at.exists()
}
