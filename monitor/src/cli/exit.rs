//! The exit codes that scripts can use.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The answer is "no", or there are violations.
    No = 1,
    /// Wrong usage, or errors in a scope file.
    Usage = 2,
    /// Needs privileges.
    Privileges = 3,
    /// The daemon is not running.
    NotRunning = 4,
    /// The kernel cannot give what was asked.
    Unsupported = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
