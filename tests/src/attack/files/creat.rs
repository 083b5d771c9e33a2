//! Destroys the file's content with `creat`.

use std::io;

use nix::libc;

use super::target::FileTarget;
use crate::attack::slot::Slot;

/// The system call `creat`.
///
/// # Errors
/// Those of `creat`.
pub fn attempt(target: &FileTarget, _slot: Slot<'_>) -> io::Result<()> {
    let path = target.c_path()?;
    // SAFETY: path is a C string; the descriptor lives until the attacker exits.
    let opened = unsafe { libc::syscall(libc::SYS_creat, path.as_ptr(), 0o600) };
    if opened < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
