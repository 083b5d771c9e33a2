//! Which patterns an object matches: its inode, its directory and name, its ancestors, its name anywhere. The
//! caller's string is never looked at.

mod hashes;
pub mod known;
mod table;

use scopeward_abi::{
    MAX_AFFIX, MAX_DEPTH, MAX_SHAPES,
    hash::BASIS,
    object::{Match, NameKey, ObjectKey, depth, dir, role, shape},
    policy::flag,
};

pub use self::table::Table;

use self::hashes::{hash_affixes, hash_name};
use crate::kernel::file;
use crate::maps::{NAMES, OBJECTS};
use crate::scratch::{DIRS, Scratch, anew, bounded, repeat};

/// What matched. The object itself and its names are answered apart, and the stronger answer holds: a name that is
/// given to a guarded object cannot loosen what guards it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Hits {
    /// Sanction bits or labels.
    pub mask: u64,
    /// The entry of the object itself for reading or executing.
    pub object_read: u32,
    /// The same for writing.
    pub object_write: u32,
    /// The most specific entry by name or place, for reading or executing.
    pub read: u32,
    /// The same for writing.
    pub write: u32,
    /// How specific `read` is.
    pub read_rank: u32,
    /// How specific `write` is.
    pub write_rank: u32,
    /// The object could not be resolved to its root.
    pub unresolved: u32,
    /// Always 0.
    pub pad: u32,
}

impl Hits {
    #[inline(always)]
    fn consider(&mut self, found: &Match) {
        self.mask |= found.mask;
        if found.read != 0 && (self.read == 0 || found.read_rank > self.read_rank) {
            self.read = found.read;
            self.read_rank = found.read_rank;
        }
        if found.write != 0 && (self.write == 0 || found.write_rank > self.write_rank) {
            self.write = found.write;
            self.write_rank = found.write_rank;
        }
    }
}

#[inline(always)]
fn object(ns: u32, dev: u32, inode: u64, role: u32) -> Option<&'static Match> {
    // SAFETY: written whole by the daemon.
    unsafe {
        OBJECTS.get(&ObjectKey {
            inode,
            dev,
            ns,
            role,
            pad: 0,
        })
    }
}

#[inline(always)]
fn named(key: &NameKey) -> Option<&'static Match> {
    // SAFETY: as above.
    unsafe { NAMES.get(key) }
}

/// Finds all that the object whose facts are in the scratch matches in a table.
#[inline(always)]
pub fn find(table: &Table<'_>, scratch: &mut Scratch) -> Hits {
    walk(table, scratch);
    scratch.hits
}

/// Finds what a name without a place matches: the one in `scratch.name`.
#[inline(always)]
pub fn find_name(table: &Table<'_>, scratch: &mut Scratch) -> Hits {
    scratch.hits = Hits::default();
    scratch.below = 0;
    scratch.parent = 0;
    scratch.leaf_len = scratch.name_len;
    hash_affixes(scratch);
    let mut walk = Walk {
        node: 0,
        scratch,
        table,
        ns: table.ns,
        dev: 0,
        end: 1,
    };
    repeat(MAX_SHAPES, anywhere, &mut walk);
    walk.scratch.hits
}

/// The hash of the name that [`find_name`] looked for.
#[inline(always)]
pub fn whole_name(scratch: &Scratch) -> u64 {
    scratch.prefix[MAX_AFFIX + 1]
}

#[inline(always)]
fn walk(table: &Table<'_>, scratch: &mut Scratch) {
    scratch.hits = Hits::default();
    scratch.dir_count = 0;
    scratch.child_trees = 0;
    scratch.below = 0;
    if let Some(found) = object(table.ns, scratch.facts.dev, scratch.facts.inode, role::LEAF)
        && (found.generation == 0 || found.generation == scratch.facts.generation)
    {
        scratch.hits.mask = found.mask;
        scratch.hits.object_read = found.read;
        scratch.hits.object_write = found.write;
    }
    if table.flags & flag::DELETED != 0
        && scratch.facts.links == 0
        && let Some(found) = named(&NameKey {
            ns: table.ns,
            depth: 1,
            ..NameKey::default()
        })
    {
        scratch.hits.consider(found);
    }
    let shapes = table.shape_count as usize;
    let mut walk = Walk {
        node: scratch.facts.dentry,
        dev: scratch.facts.dev,
        scratch,
        table,
        ns: table.ns,
        end: 0,
    };
    if shapes != 0 {
        leaf_names(&mut walk);
    }
    walk.node = walk.scratch.facts.dentry;
    repeat(MAX_DEPTH, ancestor, &mut walk);
    if walk.end == 0 {
        walk.scratch.hits.unresolved = 1;
    }
    if walk.scratch.below != 0 && anew(&walk.scratch.dir_count) != 0 {
        repeat(DIRS * MAX_SHAPES, below, &mut walk);
    }
    if table.flags & flag::DIR_NAMES != 0 || anew(&walk.scratch.child_trees) != 0 {
        walk.node = walk.scratch.facts.dentry;
        walk.scratch.parent = 0;
        repeat(MAX_DEPTH, named_directory, &mut walk);
    }
}

/// What the steps of a walk share.
struct Walk<'w> {
    node: u64,
    scratch: &'w mut Scratch,
    table: &'w Table<'w>,
    ns: u32,
    dev: u32,
    /// 1 when the root of the filesystem was reached.
    end: u64,
}

/// Hashes the leaf's name and looks it up anywhere.
#[inline(always)]
fn leaf_names(walk: &mut Walk<'_>) {
    if file::name(walk.node, walk.scratch).is_err() {
        walk.scratch.hits.unresolved = 1;
        return;
    }
    walk.scratch.leaf_len = walk.scratch.name_len;
    hash_affixes(walk.scratch);
    walk.scratch.parent = 0;
    if walk.table.flags & flag::PARENTS != 0 {
        let parent = file::parent(walk.node).and_then(|parent| file::name(parent, walk.scratch));
        if parent.is_err() {
            walk.scratch.hits.unresolved = 1;
            return;
        }
        walk.scratch.parent = hash_name(walk.scratch);
    }
    repeat(MAX_SHAPES, anywhere, walk);
}

/// The shape of a table with this index; `None` past the last.
#[inline(always)]
fn shape_at(walk: &Walk<'_>, index: u32) -> Option<u32> {
    if index >= walk.table.shape_count {
        return None;
    }
    // SAFETY: `bounded` holds the index below the length of the array, which is a power of two.
    Some(unsafe {
        *walk
            .table
            .shapes
            .get_unchecked(bounded::<{ MAX_SHAPES as u32 - 1 }>(index as usize))
    })
}

/// Looks the leaf's name up in one shape.
unsafe extern "C" fn anywhere(index: u32, walk: *mut Walk<'_>) -> i64 {
    // SAFETY: `repeat` passes what its caller borrows.
    let walk = unsafe { &mut *walk };
    let Some(shape) = shape_at(walk, index) else {
        return 1;
    };
    let key = key_of(walk.ns, shape, walk.scratch);
    if let Some(found) = named(&key) {
        walk.scratch.hits.consider(found);
        if found.flags & dir::BELOW != 0 {
            walk.scratch.below |= 1 << (index & 31);
        }
    }
    0
}

/// Looks the leaf's name up in one shape below one of the directories that were met on the way up.
unsafe extern "C" fn below(index: u32, walk: *mut Walk<'_>) -> i64 {
    // SAFETY: as above.
    let walk = unsafe { &mut *walk };
    let at = bounded::<{ DIRS as u32 - 1 }>(index as usize / MAX_SHAPES);
    if at >= anew(&walk.scratch.dir_count) {
        return 1;
    }
    let index = index & (MAX_SHAPES as u32 - 1);
    if walk.scratch.below >> index & 1 == 0 {
        return 0;
    }
    let Some(shape) = shape_at(walk, index) else {
        return 0;
    };
    let mut key = key_of(walk.ns, shape, walk.scratch);
    key.dev = walk.dev;
    // SAFETY: `bounded` holds the index below the length of the array.
    let dir = unsafe { walk.scratch.dirs.get_unchecked(at) };
    key.inode = dir.inode;
    key.depth = dir.depth;
    if let Some(found) = named(&key) {
        walk.scratch.hits.consider(found);
    }
    key.depth = depth::ANY;
    if let Some(found) = named(&key) {
        walk.scratch.hits.consider(found);
    }
    0
}

/// The key of the leaf's name in one shape. Without branches where it can be: the verifier follows each of them for
/// each shape.
#[inline(always)]
fn key_of(ns: u32, of: u32, scratch: &Scratch) -> NameKey {
    let prefix = bounded::<127>((of >> 8) as usize);
    let suffix = bounded::<127>(of as usize);
    let held = u64::from(of >> 16 & 1);
    // SAFETY: `bounded` holds both below the length of the arrays.
    let (first, last) = unsafe {
        (
            *scratch.prefix.get_unchecked(prefix),
            *scratch.suffix.get_unchecked(suffix),
        )
    };
    // Prefix and suffix must not share bytes: `a*a` does not fit `a`. No key has the shape that is looked up then.
    let of = if prefix <= MAX_AFFIX && prefix + suffix > anew(&scratch.leaf_len) {
        u32::MAX
    } else {
        of
    };
    NameKey {
        prefix: first,
        suffix: last,
        parent: scratch.parent & held.wrapping_neg(),
        inode: 0,
        dev: 0,
        ns,
        shape: of,
        depth: 0,
    }
}

/// One step up to the root of the filesystem.
unsafe extern "C" fn ancestor(level: u32, walk: *mut Walk<'_>) -> i64 {
    // SAFETY: as above.
    let walk = unsafe { &mut *walk };
    let (Ok(inode), Ok(up)) = (file::inode_of(walk.node), file::parent(walk.node)) else {
        return 1;
    };
    if let Some(found) = object(walk.ns, walk.dev, inode, role::DIR) {
        directory(found, inode, level, walk.scratch);
    }
    if up == walk.node {
        walk.end = 1;
        return 1;
    }
    walk.node = up;
    0
}

/// Takes in what a directory on the way says.
#[inline(always)]
fn directory(found: &Match, inode: u64, level: u32, scratch: &mut Scratch) {
    if found.flags & dir::TREE != 0 {
        scratch.hits.consider(found);
    }
    scratch.child_trees |= found.flags & dir::CHILD_TREES;
    if found.flags & dir::NAMES != 0 && level != 0 {
        let at = anew(&scratch.dir_count);
        if at < DIRS {
            // SAFETY: `bounded` holds the index below the length of the array.
            let dir = unsafe { scratch.dirs.get_unchecked_mut(bounded::<{ DIRS as u32 - 1 }>(at)) };
            dir.inode = inode;
            dir.depth = level;
            scratch.dir_count = at as u32 + 1;
        } else {
            scratch.hits.unresolved = 1;
        }
    }
}

/// One step of another walk up, for directories that are guarded by name: anywhere, or as a child of one that is known.
unsafe extern "C" fn named_directory(_level: u32, walk: *mut Walk<'_>) -> i64 {
    // SAFETY: as above.
    let walk = unsafe { &mut *walk };
    let scratch = &mut *walk.scratch;
    let (Ok(up), Ok(())) = (file::parent(walk.node), file::name(walk.node, scratch)) else {
        scratch.hits.unresolved = 1;
        return 1;
    };
    let hash = hash_name(scratch);
    let mut key = NameKey {
        prefix: hash,
        suffix: BASIS,
        ns: walk.ns,
        shape: shape::EXACT,
        depth: depth::DIR,
        ..NameKey::default()
    };
    if let Some(found) = named(&key) {
        scratch.hits.consider(found);
    }
    // The directory below this one, with this one's name as its parent's.
    key.prefix = scratch.parent;
    key.parent = hash;
    scratch.parent = hash;
    if let Some(found) = named(&key) {
        scratch.hits.consider(found);
    }
    if anew(&scratch.child_trees) != 0 {
        key.prefix = hash;
        key.parent = 0;
        key.dev = walk.dev;
        match file::inode_of(up) {
            Ok(inode) => key.inode = inode,
            Err(_) => scratch.hits.unresolved = 1,
        }
        if let Some(found) = named(&key) {
            scratch.hits.consider(found);
        }
    }
    if up == walk.node {
        return 1;
    }
    walk.node = up;
    0
}
