//! What a path pattern is compiled to: objects and names, never strings that a caller gave.

/// The namespace of file rules of a policy is the policy's number itself; these bits select its other tables.
pub mod ns {
    /// Programs: labels and exec rules.
    pub const EXEC: u32 = 1 << 31;
    /// Programs that make a process the root of a session (policy number 0 with this bit and `EXEC`).
    pub const MATCH: u32 = 1 << 30;
    /// Unix sockets that are bound to a path.
    pub const SOCKETS: u32 = 1 << 29;
    /// Unix sockets in the abstract name space: `NAMES` only, with the name as the leaf's.
    pub const ABSTRACT: u32 = 1 << 28;
    /// Shift of the endpoint table's number within a policy (`then-to`).
    pub const THEN_SHIFT: u32 = 16;
}

/// Key of `OBJECTS`: an inode in one role.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Inode number (`i_ino`).
    pub inode: u64,
    /// Device of the filesystem (`s_dev`, kernel encoding: major << 20 | minor).
    pub dev: u32,
    /// Which table, see [`ns`].
    pub ns: u32,
    /// `role::*`.
    pub role: u32,
    /// Always 0.
    pub pad: u32,
}

/// Values of [`ObjectKey::role`].
pub mod role {
    /// The file itself.
    pub const LEAF: u32 = 0;
    /// A directory that says something about what is below it.
    pub const DIR: u32 = 1;
}

/// Value of `OBJECTS` and `NAMES`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Sanction bits (file tables) or labels (program tables) that this match gives.
    pub mask: u64,
    /// Entry for reading (file tables) or for executing (program tables); 0 for none.
    pub read: u32,
    /// Entry for writing; 0 for none.
    pub write: u32,
    /// What decides between matches for reading: the rule's precedence, then its response; the greater wins.
    pub read_rank: u32,
    /// The same for writing.
    pub write_rank: u32,
    /// `dir::*`, for directories.
    pub flags: u32,
    /// `i_generation` of the inode that is meant, 0 where that is not known: a number that is used again for another
    /// file does not match.
    pub generation: u32,
}

/// Bits of [`Match::flags`] of a directory.
pub mod dir {
    /// The match applies to everything below.
    pub const TREE: u32 = 1;
    /// Names below it are guarded: `NAMES` has keys with this directory.
    pub const NAMES: u32 = 2;
    /// Some child that did not exist when the policy was compiled is a guarded tree.
    pub const CHILD_TREES: u32 = 4;
    /// Of a name anywhere: some directory guards this name below it, so that it is worth looking there.
    pub const BELOW: u32 = 8;
}

/// Key of `NAMES`: a name, or its prefix and suffix, anywhere or below one directory.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameKey {
    /// Hash of the prefix (or of the whole name).
    pub prefix: u64,
    /// Hash of the suffix, last byte first; `hash::BASIS` for whole names.
    pub suffix: u64,
    /// Hash of the parent's whole name, 0 where any parent fits.
    pub parent: u64,
    /// The directory's inode, 0 for anywhere.
    pub inode: u64,
    /// The directory's device, 0 for anywhere.
    pub dev: u32,
    /// Which table, see [`ns`].
    pub ns: u32,
    /// See [`shape`].
    pub shape: u32,
    /// `depth::*`, or how many levels below the directory (1 = its direct child).
    pub depth: u32,
}

/// Values of [`NameKey::depth`].
pub mod depth {
    /// Any depth below the directory, or anywhere.
    pub const ANY: u32 = 0;
    /// The name is that of a directory: the match applies to what is below it.
    pub const DIR: u32 = 1 << 16;
}

/// Values of [`NameKey::shape`]: which bytes of a name are hashed.
pub mod shape {
    /// The whole name: stands where the prefix's length would, one past the longest.
    pub const EXACT: u32 = (crate::MAX_AFFIX as u32 + 1) << 8;
    /// The parent's name is held as well.
    pub const PARENT: u32 = 1 << 16;

    /// The shape of a pattern with a prefix and a suffix of these lengths (each 0 to 64 bytes).
    #[must_use]
    pub const fn affixes(prefix: u8, suffix: u8) -> u32 {
        (prefix as u32) << 8 | suffix as u32
    }
}
