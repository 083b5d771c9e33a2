//! What a test needs, and how it says that it is missing. A test that cannot run never passes silently.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};

use crate::patience::patience;
use crate::programs;

/// Something that a test needs of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To run as root.
    Root,
    /// BTF, cgroup v2 and the right to load BPF programs.
    Bpf,
    /// The `scopeward` program.
    Scopeward,
    /// A machine of usual speed.
    Speed,
    /// The command `ip`.
    Ip,
    /// The command `script`, which gives a command a terminal.
    Script,
    /// A user without rights, `nobody`, and `setpriv` to become that user.
    Nobody,
    /// The command `systemd-analyze`.
    SystemdAnalyze,
}

/// Why `need` is not met, or `None`.
#[must_use]
pub fn missing(need: Need) -> Option<String> {
    let root = nix::unistd::geteuid().is_root();
    let met = match need {
        Need::Root => root,
        Need::Bpf => root && Path::new("/sys/kernel/btf/vmlinux").exists() && has_cgroup2(),
        Need::Scopeward => programs::scopeward().is_some_and(|path| path.exists()),
        Need::Speed => patience() == 1,
        Need::Ip => on_path("ip"),
        Need::Script => on_path("script"),
        Need::SystemdAnalyze => on_path("systemd-analyze"),
        Need::Nobody => {
            let known = nix::unistd::User::from_name("nobody").is_ok_and(|user| user.is_some());
            root && on_path("setpriv") && known
        }
    };
    let why = match need {
        Need::Root => "not root",
        Need::Bpf => "no BTF, no cgroup v2 or not root",
        Need::Scopeward => "no scopeward program (build it, or set SCOPEWARD_BIN)",
        Need::Speed => "an emulated machine is too slow for it (SCOPEWARD_PATIENCE is set)",
        Need::Ip => "no `ip` command",
        Need::Script => "no `script` command",
        Need::SystemdAnalyze => "no `systemd-analyze` command",
        Need::Nobody => "not root, no `setpriv` command or no user `nobody`",
    };
    (!met).then(|| why.to_owned())
}

fn has_cgroup2() -> bool {
    std::fs::read_to_string("/proc/filesystems").is_ok_and(|text| text.contains("cgroup2"))
}

fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(name).exists())
}

/// Writes `skipped: TEST: WHY` to standard error itself, past the capture of test output.
pub fn say_skipped(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    if let Err(error) = std::io::stderr().write_all(line.as_bytes()) {
        panic!("failed to say that {test} is skipped ({why}): {error}");
    }
}

/// The name of the running test, which the test runner gives to its thread.
#[must_use]
pub fn test_name() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}

/// Whether all of `needs` are met; else says what is missing. To be called from the test's own thread.
#[must_use]
pub fn require(needs: &[Need]) -> bool {
    match needs.iter().find_map(|need| missing(*need)) {
        Some(why) => {
            say_skipped(&test_name(), &why);
            false
        }
        None => true,
    }
}

/// The machine for this test alone: tests that load programs or count on timing take turns, across processes.
///
/// # Panics
/// Where the lock file cannot be made or locked.
#[must_use]
pub fn take_turn() -> Flock<File> {
    let file = File::create(std::env::temp_dir().join("scopeward-tests.lock")).expect("make the lock file");
    Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, error)| error)
        .expect("lock the lock file")
}
