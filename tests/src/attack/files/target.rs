//! What a file technique is given, and the small steps that several of them take.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::libc;

use crate::attack::slot::Slot;

/// The file to obtain, and a place to work in.
pub struct FileTarget {
    /// The file, by its own name.
    pub path: PathBuf,
    /// A directory of this attacker, outside everything guarded, on the same file system.
    pub aside: PathBuf,
    /// The number of the attempt.
    pub trial: usize,
}

impl FileTarget {
    /// A path in the attacker's own directory that nothing has yet.
    #[must_use]
    pub fn aside(&self, what: &str) -> PathBuf {
        self.aside
            .join(format!("{what}-{}-{}", self.trial, std::process::id()))
    }

    /// The file's path as system calls take it.
    ///
    /// # Errors
    /// Where the path has a nul byte in it.
    pub fn c_path(&self) -> io::Result<CString> {
        Ok(CString::new(self.path.as_os_str().as_bytes())?)
    }
}

/// Opens `path` and reads it into the loot.
///
/// # Errors
/// Those of open and read.
pub fn open_and_read(path: &Path, slot: Slot<'_>) -> io::Result<()> {
    let file = File::open(path)?;
    obtained(slot.pread(file.as_raw_fd())?)
}

/// An error where nothing was read.
///
/// # Errors
/// `UnexpectedEof` for a count of 0.
pub fn obtained(bytes: usize) -> io::Result<()> {
    if bytes == 0 {
        Err(io::ErrorKind::UnexpectedEof.into())
    } else {
        Ok(())
    }
}

/// The descriptor number that the next open in this process gets: the lowest free one.
///
/// # Errors
/// Those of opening `/dev/null`.
pub fn next_descriptor() -> io::Result<RawFd> {
    Ok(File::open("/dev/null")?.as_raw_fd())
}

/// Waits for the child `pid` and returns its wait status.
///
/// # Errors
/// Those of `waitpid`.
pub fn wait_for(pid: libc::pid_t) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: `status` is a live integer.
    match unsafe { libc::waitpid(pid, &raw mut status, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(status),
    }
}

/// Runs `command` with the loot as its standard output, and waits for it.
///
/// # Errors
/// Those of starting it; `Other` where it fails.
pub fn run_into_loot(command: &mut Command, slot: Slot<'_>) -> io::Result<()> {
    let status = command
        .stdin(std::process::Stdio::null())
        .stdout(slot.sink()?)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(status.to_string()))
    }
}
