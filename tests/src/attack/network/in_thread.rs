//! A connection made in a thread that is not the process's first.

use std::io;

use super::stream::tcp;
use super::target::NetworkTarget;

/// `connect` and `write` in a new thread.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &NetworkTarget) -> io::Result<()> {
    std::thread::scope(|scope| scope.spawn(|| tcp(target)).join())
        .unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
}
