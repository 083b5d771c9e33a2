//! What a technique on another process is given.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use nix::libc;

use crate::attack::files::accomplice::{clone_with, leave};
use crate::attack::files::target::wait_for;

/// Bytes that stand at the same address in this process and in its children.
pub static OWN: AtomicU64 = AtomicU64::new(0x0123_4567_89ab_cdef);

/// Another process.
pub struct OutsiderTarget {
    /// Its process id.
    pub pid: libc::pid_t,
    /// Where it has eight bytes that can be read.
    pub address: u64,
    /// A directory of this attacker.
    pub aside: PathBuf,
    /// The number of the attempt.
    pub trial: usize,
}

impl OutsiderTarget {
    /// A path in the attacker's own directory that nothing has yet.
    ///
    /// # Errors
    /// Those of making the directory.
    pub fn aside(&self, what: &str) -> io::Result<PathBuf> {
        std::fs::create_dir_all(&self.aside)?;
        Ok(self
            .aside
            .join(format!("{what}-{}-{}", self.trial, std::process::id())))
    }
}

/// `0` of a system call, or its error.
///
/// # Errors
/// The call's.
pub fn done(returned: libc::c_long) -> io::Result<libc::c_long> {
    if returned < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(returned)
    }
}

/// Does `act` to a child of this process, which waits and is then ended.
///
/// # Errors
/// Those of `act` and of making a child.
pub fn on_own_child(target: &OutsiderTarget, act: fn(&OutsiderTarget) -> io::Result<()>) -> io::Result<()> {
    let child = clone_with(0)?;
    if child == 0 {
        // SAFETY: waits for a signal, for at most the time that an attempt may take.
        unsafe {
            libc::alarm(10);
            libc::pause();
        }
        leave();
    }
    let outcome = act(&OutsiderTarget {
        pid: child,
        address: OWN.as_ptr() as u64,
        aside: target.aside.clone(),
        trial: target.trial,
    });
    // SAFETY: a child of this process that was not waited for.
    unsafe { libc::kill(child, libc::SIGKILL) };
    wait_for(child)?;
    outcome
}
