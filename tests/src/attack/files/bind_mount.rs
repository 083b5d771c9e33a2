//! Reads the file through a bind mount in a mount namespace of its own.

use std::io;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// `unshare`, bind mount of the file's directory, open and read below the mount.
///
/// # Errors
/// Those of the calls; `EPERM` without the right to mount.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let (Some(directory), Some(name)) = (target.path.parent(), target.path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let alias = target.aside("mount");
    std::fs::create_dir(&alias)?;
    mount(Some(directory), &alias, none, MsFlags::MS_BIND, none)?;
    open_and_read(&alias.join(name), slot)
}
