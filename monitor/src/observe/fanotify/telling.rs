//! The change groups: one for each filesystem id.
//!
//! Not one for all: where a mount shows another id than its filesystem's root (a btrfs subvolume) or
//! none, the kernel takes marks only into a group that has no other id (`fanotify_set_mark_fsid`,
//! since 6.8; before that it takes none).

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use super::notice::{self, Notice};
use super::object::Fsid;
use super::raw::Group;

/// Groups at most, of the 128 that a user may have in all.
const GROUPS_MAX: usize = 32;
/// Buffers taken from one group before others get their turn.
const READS_MAX: usize = 8;

/// All change groups.
#[derive(Debug)]
pub(super) struct Telling {
    groups: HashMap<Fsid, Group>,
    ready: Epoll,
}

impl Telling {
    /// Makes sure that the kernel has such groups.
    pub(super) fn new() -> io::Result<Self> {
        Group::notification()?;
        Ok(Self {
            groups: HashMap::new(),
            ready: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
        })
    }

    /// The group for a filesystem.
    pub(super) fn group(&mut self, fsid: Fsid) -> io::Result<&Group> {
        if !self.groups.contains_key(&fsid) {
            if self.groups.len() == GROUPS_MAX {
                return Err(ErrorKind::QuotaExceeded.into());
            }
            let group = Group::notification()?;
            self.ready.add(&group, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
            self.groups.insert(fsid, group);
        }
        self.groups.get(&fsid).ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Reads what there is, of each group in turn; what is left keeps the descriptor readable.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<Vec<Notice>> {
        let mut notices = Vec::new();
        for group in self.groups.values() {
            for _ in 0..READS_MAX {
                match group.read(buffer) {
                    Ok(length) => notices.extend(notice::decode(&buffer[..length])),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(notices)
    }

    /// Takes every mark away.
    pub(super) fn clear(&mut self) {
        // The last reference closes: marks and queue go with it, and the epoll set's entry too.
        self.groups.clear();
    }
}

impl AsFd for Telling {
    /// Readable when a group is.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ready.0.as_fd()
    }
}
