//! What the compiler has to know of the host's filesystems.

use crate::scope::name_glob::NameGlob;

/// An inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The filesystem's device, as the kernel keeps it (major << 20 | minor).
    pub dev: u32,
    /// Inode number.
    pub inode: u64,
    /// `i_generation`, 0 where the filesystem does not tell: inode numbers are used again.
    pub generation: u32,
}

/// Where a path leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// The object itself, symbolic links followed; `None` where there is none yet.
    pub object: Option<Node>,
    /// Directory and name under which it is found: of the path itself, and where that is a symbolic link also of
    /// what it leads to.
    pub entries: Vec<(Node, String)>,
    /// Where a directory of the path is missing: the nearest that exists, and the components below it.
    pub missing: Option<(Node, Vec<String>)>,
}

/// Asks the host. Implemented over `stat` by the daemon, and by a table in tests.
pub trait Locate {
    /// Where an absolute path leads.
    fn path(&self, path: &str) -> Located;

    /// Files directly in a directory whose name fits, with their paths.
    fn named(&self, dir: &str, name: &NameGlob) -> Vec<(Node, String)>;

    /// Files below a directory with their paths, and the roots of filesystems that are mounted below it.
    fn below(&self, dir: &str) -> (Vec<(Node, String)>, Vec<Node>);

    /// Programs in the directories of `PATH` whose name fits, with their paths there. Programs of many names (busybox)
    /// are left out: they are not the one that is meant.
    fn programs(&self, name: &NameGlob) -> Vec<(Node, String)>;
}
