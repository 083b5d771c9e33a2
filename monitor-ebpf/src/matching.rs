//! Which patterns an object matches: its inode, its directory and name, its ancestors, its name anywhere. The
//! caller's string is never looked at.

use scopeward_abi::{
    MAX_AFFIX, MAX_DEPTH, MAX_NAME, MAX_SHAPES,
    hash::{BASIS, step},
    object::{Match, NameKey, ObjectKey, depth, dir, role, shape},
    policy::flag,
};

use crate::kernel::file::{self, Facts};
use crate::maps::{NAMES, OBJECTS};
use crate::scratch::{DIRS, Scratch};

/// What matched.
#[derive(Clone, Copy, Default)]
pub struct Hits {
    /// Sanction bits or labels.
    pub mask: u64,
    /// The most specific entry for reading or executing.
    pub read: u32,
    /// The most specific entry for writing.
    pub write: u32,
    /// How specific `read` is.
    pub read_rank: u16,
    /// How specific `write` is.
    pub write_rank: u16,
    /// The object could not be resolved to its root.
    pub unresolved: bool,
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

/// The table to look into: its number, its flags and its name shapes.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// See `scopeward_abi::object::ns`.
    pub ns: u32,
    /// `policy::flag::*`.
    pub flags: u32,
    /// How many of `shapes` are used.
    pub shape_count: u32,
    /// The name shapes.
    pub shapes: &'a [u32; MAX_SHAPES],
}

#[inline(always)]
fn object(ns: u32, dev: u32, inode: u64, role: u32) -> Option<&'static Match> {
    // SAFETY: written whole by the daemon.
    unsafe { OBJECTS.get(&ObjectKey { inode, dev, ns, role, pad: 0 }) }
}

#[inline(always)]
fn named(key: &NameKey) -> Option<&'static Match> {
    // SAFETY: as above.
    unsafe { NAMES.get(key) }
}

/// Finds all that an object matches in a table.
#[inline(never)]
pub fn find(table: &Table<'_>, facts: &Facts, scratch: &mut Scratch, hits: &mut Hits) {
    if let Some(found) = object(table.ns, facts.dev, facts.inode, role::LEAF) {
        hits.consider(found);
    }
    if table.flags & flag::DELETED != 0 && facts.links == 0 {
        if let Some(found) = named(&NameKey { ns: table.ns, depth: 1, ..NameKey::default() }) {
            hits.consider(found);
        }
    }
    if table.shape_count != 0 {
        leaf_names(table, facts, scratch, hits);
    }
    ancestors(table, facts, scratch, hits);
    if scratch.dir_count != 0 {
        below(table, facts.dev, scratch, hits);
    }
}

/// Hashes the leaf's name and looks it up anywhere.
#[inline(always)]
fn leaf_names(table: &Table<'_>, facts: &Facts, scratch: &mut Scratch, hits: &mut Hits) {
    if file::name(facts.dentry, scratch).is_err() {
        hits.unresolved = true;
        return;
    }
    scratch.leaf_len = scratch.name_len;
    hash_affixes(scratch);
    scratch.parent = 0;
    if table.flags & flag::PARENTS != 0 {
        let parent = file::parent(facts.dentry).and_then(|parent| file::name(parent, scratch));
        if parent.is_err() {
            hits.unresolved = true;
            return;
        }
        scratch.parent = hash_name(scratch);
    }
    for index in 0..MAX_SHAPES {
        if index >= table.shape_count as usize {
            break;
        }
        let mut key = key_of(table.ns, table.shapes[index], scratch);
        key.depth = depth::ANY;
        if let Some(found) = named(&key) {
            hits.consider(found);
        }
    }
}

/// Looks the leaf's name up below the directories that were met on the way up.
#[inline(always)]
fn below(table: &Table<'_>, dev: u32, scratch: &Scratch, hits: &mut Hits) {
    for at in 0..DIRS {
        if at >= scratch.dir_count as usize {
            break;
        }
        for index in 0..MAX_SHAPES {
            if index >= table.shape_count as usize {
                break;
            }
            let mut key = key_of(table.ns, table.shapes[index], scratch);
            key.dev = dev;
            key.inode = scratch.dirs[at].inode;
            key.depth = scratch.dirs[at].depth;
            if let Some(found) = named(&key) {
                hits.consider(found);
            }
            key.depth = depth::ANY;
            if let Some(found) = named(&key) {
                hits.consider(found);
            }
        }
    }
}

/// The key of the leaf's name in one shape.
#[inline(always)]
fn key_of(ns: u32, of: u32, scratch: &Scratch) -> NameKey {
    let parent = if of & shape::PARENT != 0 { scratch.parent } else { 0 };
    let lengths = of & shape::EXACT;
    let (prefix, suffix) = if lengths == shape::EXACT {
        (scratch.leaf, 0)
    } else {
        // A name shorter than an affix left a hash of 0 there, which no key has.
        let prefix = ((lengths >> 8) as usize) & 127;
        let suffix = (lengths & 127) as usize;
        if prefix + suffix > scratch.leaf_len as usize {
            return NameKey { shape: u32::MAX, ..NameKey::default() };
        }
        (
            if prefix <= MAX_AFFIX { scratch.prefix[prefix] } else { 0 },
            if suffix <= MAX_AFFIX { scratch.suffix[suffix] } else { 0 },
        )
    };
    NameKey { prefix, suffix, parent, inode: 0, dev: 0, ns, shape: of, depth: 0 }
}

/// Walks up to the root of the filesystem.
#[inline(always)]
fn ancestors(table: &Table<'_>, facts: &Facts, scratch: &mut Scratch, hits: &mut Hits) {
    scratch.dir_count = 0;
    let mut node = facts.dentry;
    let mut below = 0u64;
    let mut below_hash = 0u64;
    for level in 0..MAX_DEPTH {
        let (Ok(inode), Ok(up)) = (file::inode_of(node), file::parent(node)) else {
            hits.unresolved = true;
            return;
        };
        if let Some(found) = object(table.ns, facts.dev, inode, role::DIR) {
            if found.flags & dir::TREE != 0 {
                hits.consider(found);
            }
            if found.flags & dir::NAMES != 0 && level != 0 {
                let at = scratch.dir_count as usize;
                if at < DIRS {
                    scratch.dirs[at].inode = inode;
                    scratch.dirs[at].depth = level as u32;
                    scratch.dir_count += 1;
                } else {
                    hits.unresolved = true;
                }
            }
            if found.flags & dir::CHILD_TREES != 0 && below != 0 {
                if file::name(below, scratch).is_err() {
                    hits.unresolved = true;
                    return;
                }
                let key = NameKey {
                    prefix: hash_name(scratch),
                    inode,
                    dev: facts.dev,
                    ns: table.ns,
                    shape: shape::EXACT,
                    depth: depth::DIR,
                    ..NameKey::default()
                };
                if let Some(found) = named(&key) {
                    hits.consider(found);
                }
            }
        }
        if table.flags & flag::DIR_NAMES != 0 {
            if file::name(node, scratch).is_err() {
                hits.unresolved = true;
                return;
            }
            let hash = hash_name(scratch);
            let mut key = NameKey {
                prefix: hash,
                ns: table.ns,
                shape: shape::EXACT,
                depth: depth::DIR,
                ..NameKey::default()
            };
            if let Some(found) = named(&key) {
                hits.consider(found);
            }
            if below_hash != 0 {
                key.prefix = below_hash;
                key.parent = hash;
                if let Some(found) = named(&key) {
                    hits.consider(found);
                }
            }
            below_hash = hash;
        }
        if up == node {
            return;
        }
        below = node;
        node = up;
    }
    hits.unresolved = true;
}

/// Hashes `scratch.name` whole, and each of its prefixes and suffixes up to 64 bytes.
#[inline(never)]
fn hash_affixes(scratch: &mut Scratch) {
    let mut hash = BASIS;
    scratch.prefix[0] = BASIS;
    scratch.suffix[0] = BASIS;
    for index in 0..MAX_NAME {
        if index >= scratch.name_len as usize {
            if index < MAX_AFFIX {
                // What an earlier, longer name left: a hash of 0 is in no key.
                scratch.prefix[index + 1] = 0;
                scratch.suffix[index + 1] = 0;
                continue;
            }
            break;
        }
        hash = step(hash, scratch.name[index]);
        if index < MAX_AFFIX {
            scratch.prefix[index + 1] = hash;
        }
    }
    scratch.leaf = hash;
    let mut hash = BASIS;
    for index in 0..MAX_AFFIX {
        let len = scratch.name_len as usize;
        if index >= len {
            break;
        }
        hash = step(hash, scratch.name[(len - 1 - index) & MAX_NAME]);
        scratch.suffix[index + 1] = hash;
    }
}

/// The hash of `scratch.name` whole.
#[inline(never)]
fn hash_name(scratch: &Scratch) -> u64 {
    let mut hash = BASIS;
    for index in 0..MAX_NAME {
        if index >= scratch.name_len as usize {
            break;
        }
        hash = step(hash, scratch.name[index]);
    }
    hash
}
