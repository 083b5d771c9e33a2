//! One marked inode: why it is marked, and what its marks must be for that.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use nix::libc;

use super::guarded::NameGlob;
use super::object::{Handle, Look};
use super::raw::{ON_CHILD, ON_DIR, OPENS, READS};

/// A guard's number while it is in force.
pub(super) type GuardId = u32;

const OF_FILE: u64 = libc::FAN_ATTRIB | libc::FAN_MODIFY | OF_PLACE;
const OF_PLACE: u64 = libc::FAN_DELETE_SELF | libc::FAN_MOVE_SELF;
const OF_ENTRIES: u64 = libc::FAN_CREATE | libc::FAN_DELETE | libc::FAN_MOVED_FROM | libc::FAN_MOVED_TO;

/// Why an inode is marked.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// It is guarded itself.
    Thing,
    /// A file of a guarded tree.
    Part,
    /// A directory of a guarded tree.
    Tree,
    /// A directory in which one name matters.
    Name(OsString),
    /// A directory in which names of a pattern matter.
    Glob(NameGlob),
    /// A directory on the way to a guarded thing: it matters when it goes away.
    Way,
}

/// What an inode's marks lack.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lack {
    /// The limit was reached.
    pub(super) over_limit: bool,
    /// The mark was refused, or would deny everybody.
    pub(super) refused: bool,
    /// Its changes are not told.
    pub(super) untold: bool,
}

/// A marked inode.
#[derive(Debug)]
pub(super) struct Object {
    /// The name by which it was found.
    pub(super) place: PathBuf,
    /// The filesystem's device.
    pub(super) dev: (u32, u32),
    /// Its names, when last looked at.
    pub(super) links: u32,
    is_dir: bool,
    pub(super) handle: Option<Handle>,
    thing: BTreeSet<GuardId>,
    part: BTreeSet<GuardId>,
    tree: BTreeSet<GuardId>,
    names: BTreeMap<OsString, BTreeSet<GuardId>>,
    globs: Vec<(NameGlob, GuardId)>,
    way: BTreeSet<GuardId>,
    /// The permission events it is marked with.
    pub(super) asks: u64,
    /// The changes it is marked with.
    pub(super) tells: u64,
    /// Why it is marked with less than its reasons want.
    pub(super) lack: Lack,
}

impl Object {
    pub(super) fn new(path: &Path, dev: (u32, u32), look: &Look, handle: Option<Handle>) -> Self {
        Self {
            place: path.to_owned(),
            dev,
            links: look.links,
            is_dir: look.is_dir(),
            handle,
            thing: BTreeSet::new(),
            part: BTreeSet::new(),
            tree: BTreeSet::new(),
            names: BTreeMap::new(),
            globs: Vec::new(),
            way: BTreeSet::new(),
            asks: 0,
            tells: 0,
            lack: Lack::default(),
        }
    }

    /// Guarded itself, or as part of a tree.
    pub(super) fn is_guarded(&self) -> bool {
        !self.thing.is_empty() || !self.part.is_empty() || !self.tree.is_empty()
    }

    pub(super) fn is_dir(&self) -> bool {
        self.is_dir
    }

    /// Whether a name in this directory is guarded, or leads to something guarded.
    pub(super) fn cares_for(&self, name: &OsStr) -> bool {
        !self.tree.is_empty()
            || self.names.contains_key(name)
            || self.globs.iter().any(|(glob, _)| glob.matches(name))
    }

    /// Guards to be resolved again when `name` in this directory changes.
    pub(super) fn guards_of(&self, name: &OsStr) -> Vec<GuardId> {
        self.names.get(name).into_iter().flatten().copied().collect()
    }

    /// Guards whose pattern `name` fits.
    pub(super) fn globs_of(&self, name: &OsStr) -> Vec<GuardId> {
        self.globs
            .iter()
            .filter(|(glob, _)| glob.matches(name))
            .map(|&(_, guard)| guard)
            .collect()
    }

    pub(super) fn trees(&self) -> Vec<GuardId> {
        self.tree.iter().copied().collect()
    }

    /// Guards that pass through or end at this inode.
    pub(super) fn all_guards(&self) -> BTreeSet<GuardId> {
        let named = self.names.values().flatten();
        let globs = self.globs.iter().map(|(_, guard)| guard);
        self.thing
            .iter()
            .chain(&self.part)
            .chain(&self.tree)
            .chain(&self.way)
            .chain(named)
            .chain(globs)
            .copied()
            .collect()
    }

    /// One more reason.
    pub(super) fn take(&mut self, role: Role, guard: GuardId) {
        match role {
            Role::Thing => drop(self.thing.insert(guard)),
            Role::Part => drop(self.part.insert(guard)),
            Role::Tree => drop(self.tree.insert(guard)),
            Role::Way => drop(self.way.insert(guard)),
            Role::Name(name) => drop(self.names.entry(name).or_default().insert(guard)),
            Role::Glob(glob) => {
                if !self.globs.contains(&(glob.clone(), guard)) {
                    self.globs.push((glob, guard));
                }
            }
        }
    }

    /// Takes these guards' reasons away; whether there were any.
    pub(super) fn forget(&mut self, guards: &BTreeSet<GuardId>) -> bool {
        let before = self.all_guards().len();
        for set in [&mut self.thing, &mut self.part, &mut self.tree, &mut self.way] {
            set.retain(|guard| !guards.contains(guard));
        }
        self.names.retain(|_, set| {
            set.retain(|guard| !guards.contains(guard));
            !set.is_empty()
        });
        self.globs.retain(|(_, guard)| !guards.contains(guard));
        before != self.all_guards().len()
    }

    /// Whether its marks already do for a directory of this role.
    pub(super) fn serves(&self, role: &Role) -> bool {
        let wants = match role {
            Role::Way => OF_PLACE,
            Role::Name(_) => OF_ENTRIES,
            Role::Thing | Role::Part | Role::Tree | Role::Glob(_) => return false,
        };
        self.is_dir && self.tells & wants == wants
    }

    /// The permission events that its reasons want. Reads are asked for guarded things alone, not
    /// for whole trees: a program's own data may lie there.
    pub(super) fn wanted_asks(&self, reads: bool) -> u64 {
        let mut mask = 0;
        if !self.thing.is_empty() {
            mask |= OPENS | if self.is_dir { ON_DIR } else { 0 };
            mask |= if reads && !self.is_dir { READS } else { 0 };
        }
        if !self.part.is_empty() {
            mask |= OPENS;
        }
        if !self.tree.is_empty() {
            mask |= OPENS | ON_CHILD;
        }
        mask
    }

    /// The changes that its reasons want to hear of.
    pub(super) fn wanted_tells(&self) -> u64 {
        let on_dir = if self.is_dir { ON_DIR } else { 0 };
        let mut mask = 0;
        if self.is_guarded() {
            mask |= if self.is_dir {
                libc::FAN_ATTRIB | OF_PLACE
            } else {
                OF_FILE
            };
        }
        if !self.tree.is_empty() || !self.names.is_empty() || !self.globs.is_empty() {
            mask |= OF_ENTRIES | OF_PLACE;
        }
        if !self.way.is_empty() {
            mask |= OF_PLACE;
        }
        if mask == 0 { 0 } else { mask | on_dir }
    }
}
