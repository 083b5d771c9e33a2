//! Everything that is marked, and the two groups that hold the marks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::devices::Devices;
use super::guarded::Guard;
use super::marked::{GuardId, Lack, Object, Role};
use super::object::{self, Fsid, Handle, Id, Look};
use super::raw::{Group, OPENS};
use super::state::{Board, Coverage, bump};
use super::telling::Telling;

/// Everything that is marked.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) asking: Arc<Group>,
    pub(super) telling: Telling,
    pub(super) devices: Arc<Devices>,
    pub(super) board: Arc<Board>,
    pub(super) guards: BTreeMap<GuardId, Guard>,
    /// Guarded things that appeared under a name since this was last taken.
    pub(super) fresh: Vec<Id>,
    /// Nobody is asked for now: the watchdog has released everybody.
    pub(super) paused: bool,
    /// Things of a guard that were not even looked at, as the limit was reached.
    pub(super) unseen: BTreeMap<GuardId, u64>,
    inodes: usize,
    dirs: usize,
    /// Directories seen while many guards are resolved at once: most of their ways are the same.
    pub(super) seen: Option<HashMap<PathBuf, Id>>,
    objects: HashMap<Id, Object>,
    by_handle: HashMap<Handle, Id>,
    /// A directory of each filesystem, by its id.
    mounts: HashMap<Fsid, PathBuf>,
    limit: usize,
    reads: bool,
}

impl Table {
    pub(super) fn new(
        asking: Arc<Group>,
        telling: Telling,
        devices: Arc<Devices>,
        board: Arc<Board>,
        limit: usize,
        reads: bool,
    ) -> Self {
        Self {
            asking,
            telling,
            devices,
            board,
            guards: BTreeMap::new(),
            fresh: Vec::new(),
            paused: false,
            unseen: BTreeMap::new(),
            inodes: 0,
            dirs: 0,
            seen: None,
            objects: HashMap::new(),
            by_handle: HashMap::new(),
            mounts: HashMap::new(),
            limit,
            reads,
        }
    }

    pub(super) fn object(&self, id: Id) -> Option<&Object> {
        self.objects.get(&id)
    }

    pub(super) fn object_mut(&mut self, id: Id) -> Option<&mut Object> {
        self.objects.get_mut(&id)
    }

    pub(super) fn by_handle(&self, handle: &Handle) -> Option<Id> {
        self.by_handle.get(handle).copied()
    }

    /// What is marked now, and what is not.
    pub(super) fn coverage(&self) -> Coverage {
        let mut coverage = Coverage {
            inodes: self.inodes,
            dirs: self.dirs,
            ..Coverage::default()
        };
        coverage.over_limit = self.unseen.values().sum();
        for lack in self.objects.values().map(|object| object.lack) {
            coverage.over_limit += u64::from(lack.over_limit);
            coverage.refused += u64::from(lack.refused);
            coverage.untold += u64::from(lack.untold);
        }
        coverage
    }

    /// Whether another inode can still be asked about.
    pub(super) fn has_room(&self) -> bool {
        self.inodes + self.dirs < self.limit
    }

    /// Gives an inode one more reason to be marked, and marks it.
    pub(super) fn note(&mut self, fd: &OwnedFd, look: &Look, path: &Path, role: Role, guard: GuardId) {
        let handle = object::handle(fd.as_fd());
        let known = self
            .objects
            .get(&look.id)
            .is_some_and(|object| object.handle == handle);
        if !known {
            // Also when the inode number was used again: that is another object.
            self.drop_object(look.id);
            let dev = self.devices.of(look, None);
            self.objects
                .insert(look.id, Object::new(path, dev, look, handle.clone()));
            if let Some(handle) = handle {
                self.by_handle.insert(handle, look.id);
            }
        }
        if look.is_dir()
            && let Some(seen) = &mut self.seen
        {
            seen.insert(path.to_owned(), look.id);
        }
        if look.is_dir()
            && let Some(handle) = self.objects[&look.id].handle.as_ref()
        {
            self.mounts
                .entry(handle.fsid())
                .or_insert_with(|| path.to_owned());
        }
        let guards = matches!(role, Role::Thing | Role::Part | Role::Tree);
        if let Some(object) = self.objects.get_mut(&look.id) {
            let moved = object.place != path;
            object.links = look.links;
            if guards && (!object.is_guarded() || moved) {
                self.fresh.push(look.id);
            }
            if guards || !object.is_guarded() {
                path.clone_into(&mut object.place);
            }
            object.take(role, guard);
        }
        self.sync(look.id, fd);
    }

    /// Asks about a file that has just come under a guarded name, before anything else is found out
    /// about it: each moment counts until then. `note` follows and keeps the accounts.
    pub(super) fn hurry(&self, path: &Path) {
        if !self.paused
            && self.has_room()
            && let Ok(fd) = object::place(path)
            && object::look(fd.as_fd()).is_ok_and(|look| look.is_file())
            && object::can_open(fd.as_fd())
            && self.asking.add(fd.as_fd(), OPENS).is_err()
        {
            bump(&self.board.errors);
        }
    }

    /// The same for a directory that was already met in this pass, and is marked for such a reason:
    /// nothing has to be asked of the kernel. False when that is not so.
    pub(super) fn note_seen(&mut self, path: &Path, role: &Role, guard: GuardId) -> bool {
        let id = self.seen.as_ref().and_then(|seen| seen.get(path));
        let Some(object) = id.and_then(|id| self.objects.get_mut(id)) else {
            return false;
        };
        let serves = object.serves(role);
        if serves {
            object.take(role.clone(), guard);
        }
        serves
    }

    /// Brings an inode's marks to what its reasons want: additions first.
    fn sync(&mut self, id: Id, fd: &OwnedFd) {
        let Some(object) = self.objects.get(&id) else {
            return;
        };
        let (had, mut asks) = (object.asks, object.wanted_asks(self.reads));
        let (told, tells) = (object.tells, object.wanted_tells());
        let is_dir = object.is_dir();
        let mut lack = Lack::default();
        if self.paused {
            asks = 0;
        } else if asks != 0 && had == 0 {
            lack = self.admit(fd, is_dir);
            asks = if lack.over_limit || lack.refused { 0 } else { asks };
        }
        if let Err(error) = apply(&self.asking, fd, had, asks) {
            tracing::debug!(%error, place = %self.objects[&id].place.display(), "failed to mark");
            bump(&self.board.errors);
            lack.refused = true;
            asks = 0;
        }
        if let Err(error) = self.tell(id, fd, told, tells) {
            tracing::debug!(%error, place = %self.objects[&id].place.display(), "failed to watch");
            lack.untold = true;
        }
        self.count(is_dir, had, asks);
        if let Some(object) = self.objects.get_mut(&id) {
            (object.asks, object.tells, object.lack) = (asks, tells, lack);
        }
    }

    /// Sets the change mark. Fails on filesystems without handles, and on kernels before 6.8 on
    /// btrfs subvolumes.
    fn tell(&mut self, id: Id, fd: &OwnedFd, before: u64, after: u64) -> io::Result<()> {
        let handle = self.objects.get(&id).and_then(|object| object.handle.as_ref());
        let fsid = handle.ok_or(io::ErrorKind::Unsupported)?.fsid();
        apply(self.telling.group(fsid)?, fd, before, after)
    }

    /// What keeps an object that nobody was asked about so far from being asked about.
    fn admit(&self, fd: &OwnedFd, is_dir: bool) -> Lack {
        let over_limit = !self.has_room();
        let openable = || {
            if is_dir {
                !object::is_remote(fd.as_fd())
            } else {
                object::can_open(fd.as_fd())
            }
        };
        Lack {
            over_limit,
            refused: !over_limit && !openable(),
            untold: false,
        }
    }

    fn count(&mut self, is_dir: bool, before: u64, after: u64) {
        let counter = if is_dir { &mut self.dirs } else { &mut self.inodes };
        match (before != 0, after != 0) {
            (false, true) => *counter += 1,
            (true, false) => *counter -= 1,
            _ => {}
        }
    }

    /// Forgets an inode that is gone; its marks went with it.
    pub(super) fn drop_object(&mut self, id: Id) {
        if let Some(object) = self.objects.remove(&id) {
            self.count(object.is_dir(), object.asks, 0);
            if let Some(handle) = object.handle {
                self.by_handle.remove(&handle);
            }
        }
    }

    /// Takes guards out of force.
    pub(super) fn release(&mut self, guards: &BTreeSet<GuardId>) {
        let touched: Vec<_> = self
            .objects
            .iter_mut()
            .filter_map(|(&id, object)| object.forget(guards).then_some(id))
            .collect();
        for id in touched {
            let reopened = self.reopen(id);
            if let Ok(fd) = &reopened {
                self.sync(id, fd);
            }
            let idle = self
                .objects
                .get(&id)
                .is_some_and(|object| object.all_guards().is_empty());
            if idle || reopened.is_err() {
                self.drop_object(id);
            }
        }
        self.guards.retain(|guard, _| !guards.contains(guard));
        self.unseen.retain(|guard, _| !guards.contains(guard));
    }

    /// Takes every mark away, at once.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.asking.flush()?;
        self.telling.clear();
        self.objects.clear();
        self.by_handle.clear();
        self.mounts.clear();
        self.guards.clear();
        self.fresh.clear();
        self.unseen.clear();
        (self.inodes, self.dirs) = (0, 0);
        Ok(())
    }

    /// Notes that nobody is asked any more, or marks everything again.
    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
        let ids: Vec<_> = self.objects.keys().copied().collect();
        (self.inodes, self.dirs) = (0, 0);
        for object in self.objects.values_mut() {
            object.asks = 0;
        }
        if paused {
            return;
        }
        for id in ids {
            match self.reopen(id) {
                Ok(fd) => self.sync(id, &fd),
                Err(_) => self.drop_object(id),
            }
        }
    }

    /// Opens a marked inode as a place, under whatever name it has now.
    pub(super) fn reopen(&self, id: Id) -> io::Result<OwnedFd> {
        let object = self.objects.get(&id).ok_or(io::ErrorKind::NotFound)?;
        if let Ok(fd) = object::place(&object.place)
            && object::look(fd.as_fd())?.id == id
        {
            return Ok(fd);
        }
        self.open_handle(object.handle.as_ref().ok_or(io::ErrorKind::NotFound)?)
    }

    /// Opens any object of a known filesystem.
    pub(super) fn open_handle(&self, handle: &Handle) -> io::Result<OwnedFd> {
        let mount = self.mounts.get(&handle.fsid()).ok_or(io::ErrorKind::NotFound)?;
        // Opened for this once: a descriptor that stayed open would keep the filesystem mounted.
        let mount = object::directory(object::place(mount)?.as_fd())?;
        object::open(mount.as_fd(), handle)
    }
}

fn apply(group: &Group, fd: &OwnedFd, before: u64, after: u64) -> io::Result<()> {
    if after != 0 {
        // Also when nothing is new: the inode may have lost its mark without our knowing.
        group.add(fd.as_fd(), after)?;
    }
    let gone = before & !after;
    if gone != 0 {
        group.remove(fd.as_fd(), gone)
    } else {
        Ok(())
    }
}
