//! Reads the file through a bind mount of the file itself over another file.

use std::io;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// `unshare`, bind mount of the file over an empty one, open and read of that one.
///
/// # Errors
/// Those of the calls; `EPERM` without the right to mount.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let alias = target.aside("over");
    std::fs::write(&alias, "")?;
    mount(Some(target.path.as_path()), &alias, none, MsFlags::MS_BIND, none)?;
    open_and_read(&alias, slot)
}
