//! One table of objects and names: path patterns as what the kernel looks up.

use std::collections::{BTreeMap, BTreeSet};

use scopeward_abi::{
    MAX_AFFIX, MAX_SHAPES,
    hash::{BASIS, backward, forward, whole},
    object::{Match, NameKey, ObjectKey, depth, dir, role, shape},
    policy::flag,
};

use super::{CompileError, Locate, Node, candidates::Candidates};
use crate::scope::{name_glob::NameGlob, pattern::PathPattern};

/// A table of one namespace (`scopeward_abi::object::ns`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    ns: u32,
    /// By inode.
    pub objects: BTreeMap<ObjectKey, Match>,
    /// By name.
    pub names: BTreeMap<NameKey, Match>,
    shapes: BTreeSet<u32>,
    /// What exists already of what is guarded, with its path.
    existing: BTreeMap<String, Node>,
    /// `policy::flag::*`.
    pub flags: u32,
}

/// Whether what exists already is looked for too: files below a guarded tree, so that they stay guarded under other
/// names. Not for what is only allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aliases {
    Followed,
    Programs,
    Ignored,
}

impl Table {
    pub(super) fn new(ns: u32) -> Self {
        Self {
            ns,
            ..Self::default()
        }
    }

    /// The namespace that its keys are in.
    #[must_use]
    pub const fn ns(&self) -> u32 {
        self.ns
    }

    /// The shapes of its names, for the policy.
    ///
    /// # Errors
    /// [`CompileError::Shapes`].
    pub(super) fn shapes(&self) -> Result<(u32, [u32; MAX_SHAPES]), CompileError> {
        let mut shapes = [0; MAX_SHAPES];
        if self.shapes.len() > MAX_SHAPES {
            return Err(CompileError::Shapes { most: MAX_SHAPES });
        }
        for (to, from) in shapes.iter_mut().zip(&self.shapes) {
            *to = *from;
        }
        Ok((u32::try_from(self.shapes.len()).unwrap_or(0), shapes))
    }

    /// The shapes of its names and of those of `other`.
    ///
    /// # Errors
    /// [`CompileError::Shapes`].
    pub(super) fn shapes_with(&self, other: &Self) -> Result<(u32, [u32; MAX_SHAPES]), CompileError> {
        let both = Self {
            shapes: self.shapes.union(&other.shapes).copied().collect(),
            ..Self::default()
        };
        both.shapes()
    }

    /// Makes a name without a place lead to `found`.
    ///
    /// # Errors
    /// [`CompileError::Affix`].
    pub(super) fn add_name(&mut self, name: &NameGlob, found: Match) -> Result<(), CompileError> {
        let key = self.name(None, name)?;
        self.put_name(key, found);
        Ok(())
    }

    /// Makes a pattern lead to `found`.
    ///
    /// # Errors
    /// [`CompileError::Affix`].
    pub(super) fn add(
        &mut self,
        pattern: &PathPattern,
        found: Match,
        locate: &dyn Locate,
        aliases: Aliases,
    ) -> Result<(), CompileError> {
        match pattern {
            PathPattern::Exact(path) => self.exact(path, found, locate, aliases),
            PathPattern::Tree(path) => {
                self.tree(path, found, locate, aliases);
                Ok(())
            }
            PathPattern::UnderDir {
                dir,
                depth,
                parent,
                name,
            } => {
                if aliases != Aliases::Ignored && *depth == Some(1) {
                    self.exist(locate.named(dir, name));
                }
                self.under(dir, *depth, parent.as_deref(), name, found, locate)
            }
            PathPattern::Anywhere { parent, name } => {
                if aliases == Aliases::Programs && parent.is_none() {
                    self.exist(locate.programs(name));
                }
                let key = self.name(parent.as_deref(), name)?;
                self.put_name(key, found);
                Ok(())
            }
            PathPattern::DirAnywhere { parent, name } => {
                let mut key = self.name(parent.as_deref(), &NameGlob::exact(name.as_str()))?;
                key.shape = shape::EXACT;
                key.depth = depth::DIR;
                self.flags |= flag::DIR_NAMES;
                self.put_name(key, found);
                Ok(())
            }
            PathPattern::Memfd(name) => {
                let prefix = format!("memfd:{}", name.prefix());
                let name = if name.is_exact() {
                    NameGlob::exact(prefix)
                } else {
                    NameGlob::around(prefix, name.suffix())
                };
                let key = self.name(None, &name)?;
                self.put_name(key, found);
                Ok(())
            }
            PathPattern::Deleted => {
                self.flags |= flag::DELETED;
                self.put_name(
                    NameKey {
                        ns: self.ns,
                        depth: 1,
                        ..NameKey::default()
                    },
                    found,
                );
                Ok(())
            }
        }
    }

    fn exist(&mut self, files: impl IntoIterator<Item = (Node, String)>) {
        self.existing
            .extend(files.into_iter().map(|(node, path)| (path, node)));
    }

    /// Ties what exists to its inode: each file to what wins for its own path, so that no other name that it is given
    /// can loosen it. A file of several guarded names keeps the strongest.
    pub(super) fn tie(&mut self, patterns: &[(PathPattern, Match)]) {
        let candidates = Candidates::new(patterns);
        for (path, node) in std::mem::take(&mut self.existing) {
            let mut found = Match::default();
            for one in candidates.fitting(&path) {
                join(&mut found, one);
            }
            let key = ObjectKey {
                inode: node.inode,
                dev: node.dev,
                ns: self.ns,
                role: role::LEAF,
                pad: 0,
            };
            let tied = self.objects.entry(key).or_default();
            let strength = |rank: u32| rank & 7;
            tied.mask |= found.mask;
            tied.generation = node.generation;
            if tied.read == 0 || strength(found.read_rank) > strength(tied.read_rank) {
                (tied.read, tied.read_rank) = (found.read, found.read_rank);
            }
            if tied.write == 0 || strength(found.write_rank) > strength(tied.write_rank) {
                (tied.write, tied.write_rank) = (found.write, found.write_rank);
            }
        }
    }

    /// Keeps what an earlier compilation tied to an inode: a guarded file that was moved away from its name stays
    /// guarded. The inode's generation tells it from a later file of the same number.
    pub fn keep_tied(&mut self, before: &Self) {
        /// Replaced files that are gone add up; a host that replaces more than this has its latest ones guarded.
        const TIED_MAX: usize = 200_000;
        for (key, tied) in before.objects.iter().filter(|(key, _)| key.role == role::LEAF) {
            if self.objects.len() < TIED_MAX {
                self.objects.entry(*key).or_insert(*tied);
            }
        }
    }

    fn directory(&mut self, node: Node, found: Match) {
        let key = ObjectKey {
            inode: node.inode,
            dev: node.dev,
            ns: self.ns,
            role: role::DIR,
            pad: 0,
        };
        join(self.objects.entry(key).or_default(), &found);
    }

    fn put_name(&mut self, key: NameKey, found: Match) {
        join(self.names.entry(key).or_default(), &found);
    }

    /// A name at `depth` below a directory that exists.
    fn below(&mut self, node: Node, depth: u32, mut key: NameKey, found: Match) {
        self.put_name(
            key,
            Match {
                flags: dir::BELOW,
                ..Match::default()
            },
        );
        key.dev = node.dev;
        key.inode = node.inode;
        key.depth = depth;
        self.put_name(key, found);
        self.directory(
            node,
            Match {
                flags: dir::NAMES,
                ..Match::default()
            },
        );
    }

    fn exact(
        &mut self,
        path: &str,
        found: Match,
        locate: &dyn Locate,
        aliases: Aliases,
    ) -> Result<(), CompileError> {
        let at = locate.path(path);
        if let Some(node) = at.object
            && aliases != Aliases::Ignored
        {
            self.exist([(node, path.to_owned())]);
        }
        for (node, name) in &at.entries {
            let key = self.name(None, &NameGlob::exact(name.as_str()))?;
            self.below(*node, 1, key, found);
        }
        if let Some((node, missing)) = &at.missing
            && let Some((name, above)) = missing.split_last()
        {
            let key = self.name(above.last().map(String::as_str), &NameGlob::exact(name.as_str()))?;
            self.below(
                *node,
                u32::try_from(missing.len()).unwrap_or(u32::MAX),
                key,
                found,
            );
        }
        Ok(())
    }

    fn tree(&mut self, path: &str, found: Match, locate: &dyn Locate, aliases: Aliases) {
        let at = locate.path(path);
        let tree = Match {
            flags: dir::TREE,
            ..found
        };
        if let Some(node) = at.object {
            self.directory(node, tree);
            if aliases != Aliases::Ignored {
                let (files, mounts) = locate.below(path);
                self.exist(files);
                for node in mounts {
                    self.directory(node, tree);
                }
            }
        }
        let absent = match (&at.object, &at.missing) {
            (None, None) => at.entries.first().map(|(node, name)| (*node, name.clone())),
            // Deeper ones are guarded once their parent exists: the daemon compiles anew then.
            (None, Some((node, missing))) if missing.len() == 1 => Some((*node, missing[0].clone())),
            _ => None,
        };
        if let Some((node, name)) = absent {
            let key = NameKey {
                prefix: whole(name.as_bytes()),
                suffix: BASIS,
                inode: node.inode,
                dev: node.dev,
                ns: self.ns,
                shape: shape::EXACT,
                depth: depth::DIR,
                parent: 0,
            };
            self.put_name(key, found);
            self.directory(
                node,
                Match {
                    flags: dir::CHILD_TREES,
                    ..Match::default()
                },
            );
        }
    }

    fn under(
        &mut self,
        dir: &str,
        levels: Option<u8>,
        parent: Option<&str>,
        name: &NameGlob,
        found: Match,
        locate: &dyn Locate,
    ) -> Result<(), CompileError> {
        let at = locate.path(dir);
        let levels = levels.map_or(depth::ANY, u32::from);
        if let Some(node) = at.object {
            let key = self.name(parent, name)?;
            self.below(node, levels, key, found);
            return Ok(());
        }
        // A directory that does not exist yet: its own name is held as the parent's, one level further up.
        let above = match &at.missing {
            Some((node, missing)) if missing.len() == 1 => Some((*node, missing[0].clone())),
            None => at.entries.first().map(|(node, name)| (*node, name.clone())),
            Some(_) => None,
        };
        if let (1, Some((node, last))) = (levels, above) {
            let key = self.name(Some(&last), name)?;
            self.below(node, 2, key, found);
        }
        Ok(())
    }

    /// The key of a name anywhere.
    fn name(&mut self, parent: Option<&str>, name: &NameGlob) -> Result<NameKey, CompileError> {
        let (prefix, suffix) = (name.prefix().as_bytes(), name.suffix().as_bytes());
        let (mut of, prefix_hash, suffix_hash) = if name.is_exact() {
            (shape::EXACT, whole(prefix), BASIS)
        } else {
            let too_long = || CompileError::Affix {
                pattern: name.to_string(),
                most: MAX_AFFIX,
            };
            if prefix.len() > MAX_AFFIX || suffix.len() > MAX_AFFIX {
                return Err(too_long());
            }
            let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
            (
                shape::affixes(length(prefix), length(suffix)),
                forward(prefix),
                backward(suffix),
            )
        };
        let mut parent_hash = 0;
        if let Some(parent) = parent {
            of |= shape::PARENT;
            parent_hash = whole(parent.as_bytes());
            self.flags |= flag::PARENTS;
        }
        self.shapes.insert(of);
        Ok(NameKey {
            prefix: prefix_hash,
            suffix: suffix_hash,
            parent: parent_hash,
            inode: 0,
            dev: 0,
            ns: self.ns,
            shape: of,
            depth: depth::ANY,
        })
    }
}

/// Puts two matches of one key together: the greater rank answers for each access, masks and flags add up.
pub fn join(into: &mut Match, from: &Match) {
    into.mask |= from.mask;
    into.flags |= from.flags;
    if from.read != 0 && (into.read == 0 || from.read_rank > into.read_rank) {
        (into.read, into.read_rank) = (from.read, from.read_rank);
    }
    if from.write != 0 && (into.write == 0 || from.write_rank > into.write_rank) {
        (into.write, into.write_rank) = (from.write, from.write_rank);
    }
}
