//! The filesystems that the kernel side needs: cgroup v2 and bpffs, found or mounted in a private place.

use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// Why a filesystem cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The list of mounts cannot be read.
    #[error("read /proc/thread-self/mountinfo: {0}")]
    List(std::io::Error),
    /// It is not mounted, and mounting it failed.
    #[error("mount {kind} on {at}: {error}")]
    Mount {
        /// The filesystem's kind.
        kind: &'static str,
        /// Where.
        at: String,
        /// Why.
        error: std::io::Error,
    },
}

/// Where cgroup v2 is mounted; where it is not, it is mounted below `run`.
///
/// # Errors
/// [`MountError`].
pub fn cgroup2(run: &Path) -> Result<PathBuf, MountError> {
    find_or_mount("cgroup2", Path::new("/sys/fs/cgroup"), &run.join("cgroup2"))
}

/// Where a bpffs is mounted; where none is, one is mounted below `run`.
///
/// # Errors
/// [`MountError`].
pub fn bpffs(run: &Path) -> Result<PathBuf, MountError> {
    find_or_mount("bpf", Path::new("/sys/fs/bpf"), &run.join("bpf"))
}

/// Where a securityfs is mounted; where none is, one is mounted below `run`.
///
/// # Errors
/// [`MountError`].
pub fn securityfs(run: &Path) -> Result<PathBuf, MountError> {
    find_or_mount(
        "securityfs",
        Path::new("/sys/kernel/security"),
        &run.join("securityfs"),
    )
}

/// Where a filesystem of `kind` is mounted; `None` where it is not.
///
/// # Errors
/// [`MountError::List`].
pub fn find(kind: &str) -> Result<Option<PathBuf>, MountError> {
    // The mounts of this thread, which may have a namespace of its own.
    let list = std::fs::read_to_string("/proc/thread-self/mountinfo").map_err(MountError::List)?;
    Ok(mounted(&list, kind).next())
}

/// Takes away what [`cgroup2`] and [`bpffs`] mounted below `run`; whatever is still used there stays until it is not.
pub fn unmount(run: &Path) {
    for name in ["cgroup2", "bpf"] {
        let at = run.join(name);
        if umount2(&at, MntFlags::MNT_DETACH).is_ok() {
            // Left where it is not empty.
            drop(std::fs::remove_dir(at));
        }
    }
}

/// Looks below the usual place and at our own; another daemon's private mount may go with it.
fn find_or_mount(kind: &'static str, usual: &Path, private: &Path) -> Result<PathBuf, MountError> {
    let list = std::fs::read_to_string("/proc/thread-self/mountinfo").map_err(MountError::List)?;
    if let Some(found) = mounted(&list, kind).find(|at| at.starts_with(usual) || at == private) {
        return Ok(found);
    }
    let failed = |error: std::io::Error| MountError::Mount {
        kind,
        at: private.display().to_string(),
        error,
    };
    std::fs::create_dir_all(private).map_err(failed)?;
    mount(
        Some(kind),
        private,
        Some(kind),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC,
        None::<&str>,
    )
    .map_err(|error| failed(error.into()))?;
    Ok(private.to_owned())
}

/// The mount points of filesystems of `kind` whose root is the filesystem's own.
fn mounted<'l>(list: &'l str, kind: &'l str) -> impl Iterator<Item = PathBuf> + 'l {
    list.lines().filter_map(move |line| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        (after.split(' ').next()? == kind && root == "/").then(|| PathBuf::from(unescaped(at)))
    })
}

/// mountinfo writes blanks and backslashes in octal.
#[must_use]
pub fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let code = rest
            .get(at + 1..at + 4)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                out.push(char::from(code));
                rest = rest.get(at + 4..).unwrap_or_default();
            }
            None => {
                out.push('\\');
                rest = rest.get(at + 1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_found_by_kind_and_root() {
        let list = "30 25 0:26 /part /mnt/bind rw - cgroup2 cgroup2 rw\n\
                    31 25 0:26 / /sys/fs/cgroup/with\\040blank rw,relatime shared:4 - cgroup2 cgroup2 rw\n";
        assert_eq!(
            mounted(list, "cgroup2").collect::<Vec<_>>(),
            [PathBuf::from("/sys/fs/cgroup/with blank")]
        );
        assert_eq!(mounted(list, "bpf").count(), 0);
    }
}
