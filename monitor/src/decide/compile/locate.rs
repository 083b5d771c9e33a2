//! What the compiler has to know of the host's filesystems.

use crate::scope::name_glob::NameGlob;

/// An inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The filesystem's device, as the kernel keeps it (major << 20 | minor).
    pub dev: u32,
    /// Inode number.
    pub inode: u64,
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

    /// Regular files directly in a directory whose name fits.
    fn named(&self, dir: &str, name: &NameGlob) -> Vec<Node>;

    /// Regular files below a directory, and the roots of filesystems that are mounted below it.
    fn below(&self, dir: &str) -> (Vec<Node>, Vec<Node>);

    /// Programs in the directories of `PATH` whose name fits.
    fn programs(&self, name: &NameGlob) -> Vec<Node>;
}
