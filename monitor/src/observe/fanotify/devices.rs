//! The kernel's device of a filesystem, which is not always what `stat` says.
//!
//! On btrfs each subvolume shows a device of its own, on overlayfs files and directories may differ;
//! `/proc/*/mountinfo` gives the superblock's (`s_dev`), which is what the programs in the kernel see.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, PoisonError};

use super::object::{self, Look};

/// Known devices by `st_dev`.
#[derive(Debug, Default)]
pub struct Devices(Mutex<HashMap<(u32, u32), (u32, u32)>>);

impl Devices {
    /// Forgets everything: mounts have changed, and numbers may be used again.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The superblock's device of an object, reached by process `pid` or by ourselves. Falls back to
    /// what `stat` says when neither sees the mount.
    pub(super) fn of(&self, look: &Look, pid: Option<i32>) -> (u32, u32) {
        if let Some(&known) = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&look.dev)
        {
            return known;
        }
        let own = || superblock("self", look.mount);
        let theirs = || pid.and_then(|pid| superblock(&pid.to_string(), look.mount));
        let Some(found) = own().or_else(theirs) else {
            return look.dev;
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(look.dev, found);
        found
    }

    /// Inode number and the superblock's device of an open object.
    ///
    /// # Errors
    /// Where `statx` fails.
    pub fn identity(&self, fd: BorrowedFd<'_>) -> std::io::Result<(u64, (u32, u32))> {
        self.look(fd, None).map(|(look, dev)| (look.id.inode, dev))
    }

    /// Looks at an open object: inode number and the superblock's device.
    pub(super) fn look(&self, fd: BorrowedFd<'_>, pid: Option<i32>) -> std::io::Result<(Look, (u32, u32))> {
        let look = object::look(fd)?;
        Ok((look, self.of(&look, pid)))
    }
}

/// `major:minor` of the mount with this id, in the mount namespace of `process`.
fn superblock(process: &str, mount: u64) -> Option<(u32, u32)> {
    let table = std::fs::read_to_string(format!("/proc/{process}/mountinfo")).ok()?;
    table.lines().find_map(|line| parse(line, mount))
}

fn parse(line: &str, mount: u64) -> Option<(u32, u32)> {
    let mut fields = line.split(' ');
    (fields.next()?.parse() == Ok(mount)).then_some(())?;
    let (major, minor) = fields.nth(1)?.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_superblock_is_the_third_field_of_its_mount() {
        let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw";
        assert_eq!(parse(line, 36), Some((98, 0)));
        assert_eq!(parse(line, 35), None);
    }
}
