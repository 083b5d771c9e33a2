//! fork + exec + wait, with nothing in between.

use std::ffi::CString;
use std::io;
use std::path::Path;

use nix::libc;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use super::numbered::c_path;

/// A program with no arguments and an empty environment.
pub struct Program {
    path: CString,
}

impl Program {
    /// The program at `path`.
    ///
    /// # Errors
    /// `InvalidInput` for a path with a zero byte.
    pub fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { path: c_path(path)? })
    }

    /// Runs it once, to its end.
    ///
    /// # Errors
    /// Those of `fork` and `waitpid`; `Other` where it does not end with 0.
    pub fn run(&self) -> io::Result<()> {
        let argv = [self.path.as_ptr(), std::ptr::null()];
        let environment = [std::ptr::null()];
        // SAFETY: the child only calls functions that are safe between fork and exec.
        match unsafe { fork() }? {
            ForkResult::Child => {
                // SAFETY: both arrays end with a null pointer and point to strings that end with a zero.
                unsafe {
                    libc::execve(self.path.as_ptr(), argv.as_ptr(), environment.as_ptr());
                    libc::_exit(127)
                }
            }
            ForkResult::Parent { child } => match waitpid(child, None)? {
                WaitStatus::Exited(_, 0) => Ok(()),
                other => Err(io::Error::other(format!("{:?} ended with {other:?}", self.path))),
            },
        }
    }
}
