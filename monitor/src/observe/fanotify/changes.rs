//! What events of the change group mean: names to guard again, and acts to tell of.
//!
//! What is lost: the kernel merges events of one process on one object until they are read, so
//! repeated equal acts count once, and acts on one object in one batch have no order. A write and a
//! truncation are the same event. Links are seen by the inode's link count, so one that was made and
//! removed before we looked shows as a link alone.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::libc;

use super::arbiter::{Change, ChangeKind, Observer};
use super::marked::Object;
use super::marks::Table;
use super::notice::Notice;
use super::object::{self, Handle, Id};
use super::state::bump;

/// How long a change seen at an inode waits for the directory's word on it.
const HOLD: Duration = Duration::from_millis(5);

/// Turns notices into refreshed marks and changes.
pub(super) struct Changes {
    observer: Arc<dyn Observer>,
    /// Changes seen at an inode, which the event of a watched directory may tell better: the kernel
    /// queues that one right after.
    held: Vec<(Instant, Change)>,
}

impl Changes {
    pub(super) fn new(observer: Arc<dyn Observer>) -> Self {
        Self {
            observer,
            held: Vec::new(),
        }
    }

    /// When [`Self::settle`] has something to do.
    pub(super) fn settles(&self) -> Option<Instant> {
        self.held.first().map(|(since, _)| *since + HOLD)
    }

    /// Tells what was held back long enough and not told better.
    pub(super) fn settle(&mut self, table: &Table) {
        let due = self
            .held
            .iter()
            .take_while(|(since, _)| since.elapsed() >= HOLD)
            .count();
        for (_, change) in self.held.drain(..due).collect::<Vec<_>>() {
            self.tell(table, &change);
        }
    }

    fn hold(&mut self, change: Change) {
        self.held.push((Instant::now(), change));
    }

    /// Handles one event. Marks come first: the observer may be slow.
    pub(super) fn take(&mut self, table: &mut Table, notice: &Notice) {
        let dir = notice
            .entry
            .as_ref()
            .and_then(|(handle, name)| Some((table.by_handle(handle)?, name)));
        let object = notice.object.as_ref().and_then(|handle| table.by_handle(handle));
        let mut changes = Vec::new();
        if let Some((dir, name)) = dir
            && name != "."
        {
            self.entry(table, notice, dir, name, &mut changes);
        }
        // Events of a directory itself name it as the directory, with the name ".".
        let own = dir.filter(|(_, name)| *name == ".").map(|(dir, _)| dir);
        if let Some(id) = object.or(own) {
            self.inode(table, notice, id, &mut changes);
        }
        self.refresh(table);
        for change in changes {
            self.held.retain(|(_, held)| {
                (held.pid, held.kind, held.inode) != (change.pid, change.kind, change.inode)
            });
            self.tell(table, &change);
        }
    }

    /// Tells the observer what has come under a guarded name.
    pub(super) fn refresh(&self, table: &mut Table) {
        for id in std::mem::take(&mut table.fresh) {
            if let Some(object) = table.object(id) {
                self.observer.refreshed(&object.place, object.dev, id.inode);
            }
        }
    }

    fn tell(&self, table: &Table, change: &Change) {
        if self.observer.was_member(change.pid) {
            bump(&table.board.changes);
            self.observer.changed(change);
        }
    }

    /// Something happened to a name in a watched directory.
    fn entry(&self, table: &mut Table, notice: &Notice, dir: Id, name: &OsStr, changes: &mut Vec<Change>) {
        let known = notice.object.as_ref().and_then(|handle| table.by_handle(handle));
        let known = known.and_then(|id| table.object(id));
        let guarded = known.is_some_and(Object::is_guarded);
        let Some(holder) = table.object(dir) else { return };
        let cares = holder.cares_for(name);
        if !cares && !guarded {
            return;
        }
        let (path, dev) = (holder.place.join(name), holder.dev);
        if cares && notice.mask & (libc::FAN_CREATE | libc::FAN_MOVED_TO) != 0 {
            table.hurry(&path);
        }
        let home = known.map(|object| object.place.clone());
        let (named, globs, trees) = (holder.guards_of(name), holder.globs_of(name), holder.trees());
        if notice.mask & (libc::FAN_CREATE | libc::FAN_MOVED_TO | libc::FAN_DELETE | libc::FAN_MOVED_FROM)
            != 0
        {
            for guard in named {
                table.resolve(guard);
            }
        }
        if notice.mask & (libc::FAN_CREATE | libc::FAN_MOVED_TO) != 0 {
            globs.into_iter().for_each(|guard| table.lead(&path, guard));
            trees
                .into_iter()
                .for_each(|guard| table.adopt(path.clone(), guard));
        }
        let is_member = self.observer.was_member(notice.pid);
        if !is_member {
            return;
        }
        let inode = notice.object.as_ref().map_or(0, |handle| inode_of(table, handle));
        let change = |kind, path: PathBuf, to| Change {
            pid: notice.pid,
            kind,
            path,
            to,
            dev,
            inode,
        };
        if notice.mask & libc::FAN_CREATE != 0 {
            changes.push(match home.filter(|home| guarded && *home != path) {
                Some(home) => change(ChangeKind::Link, home, Some(path.clone())),
                None => change(ChangeKind::Create, path.clone(), None),
            });
        }
        if notice.mask & libc::FAN_MOVED_FROM != 0 {
            let to = notice.object.as_ref().and_then(|handle| name_of(table, handle));
            changes.push(change(
                ChangeKind::Rename,
                path.clone(),
                to.filter(|to| *to != path),
            ));
        }
        if notice.mask & libc::FAN_MOVED_TO != 0 && cares {
            changes.push(change(ChangeKind::Replace, path.clone(), None));
        }
        if notice.mask & libc::FAN_DELETE != 0 {
            changes.push(change(ChangeKind::Unlink, path, None));
        }
    }

    /// Something happened to a marked inode.
    fn inode(&mut self, table: &mut Table, notice: &Notice, id: Id, changes: &mut Vec<Change>) {
        let Some(object) = table.object(id) else { return };
        let (path, dev, links) = (object.place.clone(), object.dev, object.links);
        let change = |kind, to| Change {
            pid: notice.pid,
            kind,
            path: path.clone(),
            to,
            dev,
            inode: id.inode,
        };
        let (guarded, is_dir) = (object.is_guarded(), object.is_dir());
        let leaves = notice.mask & (libc::FAN_MOVE_SELF | libc::FAN_DELETE_SELF) != 0;
        let through = if leaves {
            object.all_guards()
        } else {
            BTreeSet::new()
        };
        if guarded && notice.mask & libc::FAN_MODIFY != 0 {
            changes.push(change(ChangeKind::Modify, None));
        }
        if guarded && notice.mask & libc::FAN_ATTRIB != 0 {
            let now = table
                .reopen(id)
                .ok()
                .and_then(|fd| object::look(fd.as_fd()).ok())
                .map_or(0, |look| look.links);
            if let Some(object) = table.object_mut(id) {
                object.links = now;
            }
            // A changed link count tells of the inode alone; chmod and the like have a name.
            match now.cmp(&links) {
                _ if is_dir => changes.push(change(ChangeKind::Attributes, None)),
                std::cmp::Ordering::Less => self.hold(change(ChangeKind::Unlink, None)),
                std::cmp::Ordering::Greater => self.hold(change(ChangeKind::Link, None)),
                std::cmp::Ordering::Equal if notice.entry.is_none() => {
                    self.hold(change(ChangeKind::Link, None));
                }
                std::cmp::Ordering::Equal => {}
            }
            if !is_dir && notice.entry.is_some() {
                changes.push(change(ChangeKind::Attributes, None));
            }
        }
        if notice.mask & libc::FAN_MOVE_SELF != 0 {
            if guarded {
                self.hold(change(
                    ChangeKind::Rename,
                    table.reopen(id).ok().and_then(|fd| only_name(&fd)),
                ));
            }
            if is_dir {
                resolve(table, &through);
            }
        }
        if notice.mask & libc::FAN_DELETE_SELF != 0 {
            table.drop_object(id);
            resolve(table, &through);
        }
    }
}

fn resolve(table: &mut Table, guards: &BTreeSet<u32>) {
    for &guard in guards {
        table.resolve(guard);
    }
}

/// The inode number behind a handle; 0 when it is gone.
fn inode_of(table: &Table, handle: &Handle) -> u64 {
    if let Some(id) = table.by_handle(handle) {
        return id.inode;
    }
    let look = table
        .open_handle(handle)
        .ok()
        .and_then(|fd| object::look(fd.as_fd()).ok());
    look.map_or(0, |look| look.id.inode)
}

/// The name that an object has now.
fn name_of(table: &Table, handle: &Handle) -> Option<PathBuf> {
    let fd = match table.by_handle(handle) {
        Some(id) => table.reopen(id),
        None => table.open_handle(handle),
    };
    only_name(&fd.ok()?)
}

/// The name of an open object, if it has but one: of several, a handle gives any.
fn only_name(fd: &OwnedFd) -> Option<PathBuf> {
    let look = object::look(fd.as_fd()).ok()?;
    (look.links == 1 || look.is_dir()).then(|| object::name(fd.as_fd()))?
}
