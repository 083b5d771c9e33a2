//! Makes a bare kernel a system that tests can run in.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;

use nix::kmod::{ModuleInitFlags, finit_module};
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};

/// What is mounted where: type, place, options. The last column says whether the machine is useless without it.
const MOUNTS: &[(&str, &str, &str, bool)] = &[
    ("proc", "/proc", "", true),
    ("sysfs", "/sys", "", true),
    ("devtmpfs", "/dev", "", true),
    ("devpts", "/dev/pts", "", false),
    ("tmpfs", "/dev/shm", "mode=1777", false),
    ("tmpfs", "/tmp", "mode=1777", true),
    ("tmpfs", "/run", "mode=755", true),
    ("securityfs", "/sys/kernel/security", "", false),
    ("tracefs", "/sys/kernel/tracing", "", false),
    ("bpf", "/sys/fs/bpf", "mode=700", false),
    ("cgroup2", "/sys/fs/cgroup", "", true),
];

/// Mounts what a system has, and brings up loopback; gives what could not be had.
///
/// # Errors
/// A mount without which no test can run.
pub fn prepare() -> io::Result<Vec<String>> {
    let mut lacking = Vec::new();
    for &(kind, place, options, needed) in MOUNTS {
        let made = std::fs::create_dir_all(place).and_then(|()| {
            let options = (!options.is_empty()).then_some(options);
            Ok(mount(Some(kind), place, Some(kind), MsFlags::empty(), options)?)
        });
        match made {
            Err(error) if needed => return Err(io::Error::other(format!("{kind} on {place}: {error}"))),
            Err(error) => lacking.push(format!("{kind} on {place}: {error}")),
            Ok(()) => {}
        }
    }
    for (link, target) in [("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0")] {
        if !Path::new(link).exists() {
            std::os::unix::fs::symlink(target, link)?;
        }
    }
    let up = Command::new("/usr/sbin/ip")
        .args(["link", "set", "lo", "up"])
        .output();
    if !up.is_ok_and(|output| output.status.success()) {
        lacking.push("loopback".to_owned());
    }
    Ok(lacking)
}

/// Loads the kernel module at `path`.
///
/// # Errors
/// Those of reading it, and of `finit_module`; that it is there already is none.
pub fn load_module(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    match finit_module(&file, &CString::default(), ModuleInitFlags::empty()) {
        Ok(()) | Err(nix::errno::Errno::EEXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What kernel this is and what it enforces, as words for the report.
#[must_use]
pub fn facts() -> Vec<String> {
    [
        "/proc/version",
        "/sys/kernel/security/lsm",
        "/sys/kernel/security/lockdown",
    ]
    .iter()
    .filter_map(|path| Some(format!("{path}: {}", std::fs::read_to_string(path).ok()?.trim())))
    .collect()
}

/// Ends the machine; returns only where that is refused.
pub fn end() -> nix::Error {
    nix::unistd::sync();
    match reboot(RebootMode::RB_AUTOBOOT) {
        Err(error) => error,
    }
}
