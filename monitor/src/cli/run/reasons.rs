//! The file in which the agent itself can read what was refused, by which rule and why.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use nix::unistd::{getegid, geteuid, setegid, seteuid};

use super::user::RunAs;
use crate::{api::types::Reason, cli::render::escape::escape, record::event::EventRecord};

/// The variable that names the file.
pub const VARIABLE: &str = "SCOPEWARD_REASONS";

/// The file, which goes with this value. It belongs to the user that the command runs as: what it says is for the agent's
/// use, and the daemon's record is what counts.
#[derive(Debug)]
pub(super) struct Reasons {
    path: PathBuf,
    file: File,
    user: Option<RunAs>,
}

impl Reasons {
    /// Makes the file, as the user that the command runs as.
    ///
    /// # Errors
    /// What the filesystem says.
    pub(super) fn new(user: Option<&RunAs>) -> io::Result<Self> {
        let directory = std::env::var_os("XDG_RUNTIME_DIR")
            .filter(|_| user.is_none())
            .map(PathBuf::from)
            .filter(|at| at.is_dir())
            .unwrap_or_else(std::env::temp_dir);
        let open = |path: &Path| {
            let mut options = File::options();
            // New: nobody has put anything in its place.
            options.append(true).create_new(true).mode(0o600).open(path)
        };
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..8 {
            let path = directory.join(format!(
                "scopeward-reasons-{}",
                ulid::Ulid::new().to_string().to_lowercase()
            ));
            match as_user(user, || open(&path)) {
                Ok(file) => {
                    return Ok(Self {
                        path,
                        file,
                        user: user.cloned(),
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The variable for the command's environment.
    pub(super) fn variable(&self) -> (OsString, OsString) {
        (VARIABLE.into(), self.path.clone().into())
    }

    /// Adds what was answered to an act, as one line.
    pub(super) fn add(&mut self, event: &EventRecord) {
        let line = words(&Reason::of(event));
        // The agent may have removed it, or the disk may be full: nobody but the agent is worse off.
        drop(writeln!(self.file, "{line}"));
    }
}

impl Drop for Reasons {
    fn drop(&mut self) {
        // The agent may have removed it.
        drop(as_user(self.user.as_ref(), || std::fs::remove_file(&self.path)));
    }
}

fn as_user<T>(user: Option<&RunAs>, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(user) = user else { return work() };
    let (uid, gid) = (geteuid(), getegid());
    setegid(user.gid).and_then(|()| seteuid(user.uid))?;
    let done = work();
    seteuid(uid).and_then(|()| setegid(gid))?;
    done
}

/// A reason in one line, for the agent.
#[must_use]
pub fn words(reason: &Reason) -> String {
    let why = reason
        .reason
        .as_deref()
        .map_or_else(String::new, |why| format!(": {}", escape(why)));
    format!(
        "{} {} was answered with {} by {}{why}. {}",
        reason.time.strftime("%H:%M:%SZ"),
        escape(&reason.act),
        reason.applied.word(),
        escape(&reason.rule),
        reason.instead
    )
}
