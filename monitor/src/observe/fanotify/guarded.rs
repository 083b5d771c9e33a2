//! What is to be guarded, as people's paths.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The whole of what the tier guards, for all sessions. Absolute paths; what does not exist yet is
/// guarded from its creation on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guarded {
    /// Files (or directories, whose listing is then asked about).
    pub exact: Vec<PathBuf>,
    /// Directories with everything below them, on their own filesystem.
    pub trees: Vec<PathBuf>,
    /// Names directly in a directory.
    pub names_in_dirs: Vec<(PathBuf, NameGlob)>,
}

/// A file-name pattern with at most one `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameGlob {
    /// What the name starts with.
    pub prefix: Vec<u8>,
    /// What it ends with.
    pub suffix: Vec<u8>,
}

impl NameGlob {
    /// Whether `name` fits: prefix and suffix do not overlap in it.
    #[must_use]
    pub fn matches(&self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        name.len() >= self.prefix.len() + self.suffix.len()
            && name.starts_with(&self.prefix)
            && name.ends_with(&self.suffix)
    }
}

/// One thing to guard: the unit in which sets are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Guard {
    Exact(PathBuf),
    Tree(PathBuf),
    Names(PathBuf, NameGlob),
}

impl Guard {
    /// The path from which the guard is resolved.
    pub(super) fn path(&self) -> &PathBuf {
        match self {
            Self::Exact(path) | Self::Tree(path) | Self::Names(path, _) => path,
        }
    }
}

impl Guarded {
    /// Every guard of the set; relative paths are left out, as there is nothing they are relative to.
    pub(super) fn guards(&self) -> impl Iterator<Item = Guard> {
        let exact = self.exact.iter().cloned().map(Guard::Exact);
        let trees = self.trees.iter().cloned().map(Guard::Tree);
        let names = self
            .names_in_dirs
            .iter()
            .cloned()
            .map(|(dir, glob)| Guard::Names(dir, glob));
        exact
            .chain(trees)
            .chain(names)
            .filter(|guard| guard.path().is_absolute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_glob_needs_room_for_both_ends() {
        let glob = NameGlob {
            prefix: b"id_".to_vec(),
            suffix: b"_key".to_vec(),
        };
        assert!(glob.matches(OsStr::new("id_a_key")));
        assert!(!glob.matches(OsStr::new("id_key")));
        assert!(!glob.matches(OsStr::new("id_rsa")));
    }
}
