//! Reads the file under a shorter name, in a user namespace whose root is the file's directory.

use std::io;
use std::path::Path;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, chroot};

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// `unshare` of user and mount namespace, `chroot`, open and read of `/NAME`.
///
/// # Errors
/// Those of the calls.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let (Some(directory), Some(name)) = (target.path.parent(), target.path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    chroot(directory)?;
    chdir("/")?;
    open_and_read(&Path::new("/").join(name), slot)
}
