//! From a guard to the inodes that stand for it now, and the directories in which it can appear.

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use super::guarded::Guard;
use super::marked::{GuardId, Role};
use super::marks::Table;
use super::object::{self, Look};
use super::priority;

/// Symbolic links followed in one path, as in the kernel (`MAXSYMLINKS`).
const LINKS_MAX: u32 = 40;

impl Table {
    /// Resolves many guards.
    pub(super) fn resolve_all(&mut self, guards: impl IntoIterator<Item = GuardId>) {
        priority::lower();
        self.seen = Some(HashMap::new());
        guards.into_iter().for_each(|guard| self.resolve(guard));
        self.seen = None;
        priority::raise();
    }

    /// Finds and marks what a guard stands for, and the places where that can change.
    pub(super) fn resolve(&mut self, id: GuardId) {
        let Some(guard) = self.guards.get(&id).cloned() else {
            return;
        };
        self.unseen.remove(&id);
        let found = self.walk(guard.path(), id);
        let Some((fd, look, path)) = found else { return };
        match guard {
            Guard::Tree(_) if look.is_dir() => self.scan(&look, path, id),
            Guard::Names(_, glob) if look.is_dir() => {
                self.note(&fd, &look, &path, Role::Glob(glob.clone()), id);
                for name in list(&fd).into_iter().filter(|name| glob.matches(name)) {
                    self.lead(&path.join(name), id);
                }
            }
            Guard::Exact(_) | Guard::Tree(_) if look.is_file() || look.is_dir() => {
                self.note(&fd, &look, &path, Role::Thing, id);
            }
            // Opening a socket or device for the event's descriptor could act on it.
            _ => {}
        }
    }

    /// Guards what one path leads to, as part of a guard for several.
    pub(super) fn lead(&mut self, path: &Path, id: GuardId) {
        if let Some((fd, look, path)) = self.walk(path, id)
            && look.is_file()
        {
            self.note(&fd, &look, &path, Role::Thing, id);
        }
    }

    /// Follows a path as the kernel does, marking each directory on the way so that a change of any
    /// part of it is seen. `None` while it leads nowhere.
    fn walk(&mut self, path: &Path, id: GuardId) -> Option<(OwnedFd, Look, PathBuf)> {
        let mut here = PathBuf::from("/");
        let mut rest = parts(path);
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                here.pop();
                continue;
            }
            let path = here.join(&name);
            let last = rest.is_empty();
            if !last && self.note_seen(&path, &Role::Way, id) {
                here = path;
                continue;
            }
            // A name that can change its meaning is watched before it is looked at.
            if last {
                self.watch(&here, &name, id);
            }
            let found = match open(&path) {
                Err(ErrorKind::NotFound) if !last => {
                    self.watch(&here, &name, id);
                    open(&path)
                }
                found => found,
            };
            let (fd, look) = found.ok()?;
            if look.is_link() {
                self.watch(&here, &name, id);
                links += 1;
                let target = object::target(fd.as_fd()).ok().filter(|_| links <= LINKS_MAX)?;
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                let after = std::mem::replace(&mut rest, parts(&target));
                rest.extend(after);
            } else if last {
                return Some((fd, look, path));
            } else if look.is_dir() {
                self.note(&fd, &look, &path, Role::Way, id);
                here = path;
            } else {
                self.watch(&here, &name, id);
                return None;
            }
        }
        let (fd, look) = open(&here).ok()?;
        Some((fd, look, here))
    }

    fn watch(&mut self, dir: &Path, name: &OsStr, id: GuardId) {
        let role = Role::Name(name.to_owned());
        if !self.note_seen(dir, &role, id)
            && let Ok((fd, look)) = open(dir)
        {
            self.note(&fd, &look, dir, role, id);
        }
    }

    /// Guards a directory and everything below it on the same filesystem.
    fn scan(&mut self, look: &Look, path: PathBuf, id: GuardId) {
        priority::lower();
        self.descend(self.devices.of(look, None), path, id);
        if self.seen.is_none() {
            priority::raise();
        }
    }

    /// Each directory is marked before it is listed, so that what appears meanwhile is either listed
    /// or told. No descriptor stays open for what is left to do: openers need them.
    fn descend(&mut self, dev: (u32, u32), path: PathBuf, id: GuardId) {
        let mut left = vec![path];
        while let Some(path) = left.pop() {
            let Ok((fd, look)) = open(&path) else { continue };
            if !look.is_dir() || self.devices.of(&look, None) != dev {
                continue;
            }
            self.note(&fd, &look, &path, Role::Tree, id);
            let names = list(&fd);
            for (at, name) in names.iter().enumerate() {
                if !self.has_room() {
                    self.unseen.insert(id, (names.len() - at + left.len()) as u64);
                    return;
                }
                let path = path.join(name);
                let Ok((fd, look)) = open(&path) else { continue };
                if look.is_file() {
                    // By inode as well: the directory's mark does not follow hard links out of it.
                    self.note(&fd, &look, &path, Role::Part, id);
                } else if look.is_dir() {
                    left.push(path);
                }
            }
        }
    }

    /// Guards what a name in a directory of a guarded tree leads to now.
    pub(super) fn adopt(&mut self, path: PathBuf, id: GuardId) {
        let Ok((fd, look)) = open(&path) else { return };
        if look.is_dir() {
            self.scan(&look, path, id);
        } else if look.is_file() {
            self.note(&fd, &look, &path, Role::Part, id);
        }
    }
}

fn open(path: &Path) -> Result<(OwnedFd, Look), ErrorKind> {
    let fd = object::place(path).map_err(|error| error.kind())?;
    let look = object::look(fd.as_fd()).map_err(|error| error.kind())?;
    Ok((fd, look))
}

/// The names in a directory; none where it cannot be listed.
fn list(fd: &OwnedFd) -> Vec<OsString> {
    object::entries(fd.as_fd()).unwrap_or_default()
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        })
        .collect()
}
