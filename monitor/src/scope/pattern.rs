//! Patterns for paths, in exactly the shapes that the kernel matches with a bounded number of look-ups.

use std::{fmt, path::Path};

use super::name_glob::NameGlob;

/// One pattern of a scope file, after brace expansion. Directories are absolute, or start with `~` until
/// [`resolve`](Self::resolve) has put the owner's home there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathPattern {
    /// `/a/b/c`: this path.
    Exact(String),
    /// `/a/b/**`: the directory and everything below it.
    Tree(String),
    /// `/a/b/*.x`, `/a/*/x`, `/a/**/x`, `/a/**/p/x`: names at a depth below a directory.
    UnderDir {
        /// The directory, without a trailing slash (`/` for the root).
        dir: String,
        /// How many components follow `dir`, at least 1; `None` for any number.
        depth: Option<u8>,
        /// What the directory that holds the name is called, where that is fixed.
        parent: Option<String>,
        /// The last component.
        name: NameGlob,
    },
    /// `**/.env`, `*.pem`, `**/.docker/config.json`: a name anywhere.
    Anywhere {
        /// What the directory that holds the name is called, where that is fixed.
        parent: Option<String>,
        /// The last component.
        name: NameGlob,
    },
    /// `**/secrets/**`, `**/.git/hooks/**`: every directory of that name, with everything below it.
    DirAnywhere {
        /// What the directory that holds it is called, where that is fixed.
        parent: Option<String>,
        /// The directory's name.
        name: String,
    },
    /// `memfd:*`: a program that runs from memory; the glob is for the name given to `memfd_create`.
    Memfd(NameGlob),
    /// `*(deleted)`: a program whose file is gone.
    Deleted,
}

/// The longest literal part that still counts in [`PathPattern::rank`].
const LITERAL_CAP: usize = 1023;

impl PathPattern {
    /// How specific the pattern is: `class * 1024 + min(literal bytes, 1023)`. A higher rank wins.
    ///
    /// Classes: exact path 6, fixed depth below a directory 5, any depth below a directory 4, a name anywhere 3
    /// (also `memfd:` and `(deleted)`), a tree 2, a directory anywhere 1. At most 7167.
    #[must_use]
    pub fn rank(&self) -> u16 {
        let class: u16 = match self {
            Self::Exact(_) => 6,
            Self::UnderDir { depth: Some(_), .. } => 5,
            Self::UnderDir { depth: None, .. } => 4,
            Self::Anywhere { .. } | Self::Memfd(_) | Self::Deleted => 3,
            Self::Tree(_) => 2,
            Self::DirAnywhere { .. } => 1,
        };
        let literal = u16::try_from(self.literal_len().min(LITERAL_CAP)).unwrap_or(u16::MAX);
        class * 1024 + literal
    }

    /// Can it be held as a file or a directory, rather than by name?
    #[must_use]
    pub const fn is_object(&self) -> bool {
        matches!(
            self,
            Self::Exact(_) | Self::Tree(_) | Self::UnderDir { depth: Some(1), .. }
        )
    }

    fn literal_len(&self) -> usize {
        let of = |parent: &Option<String>| parent.as_ref().map_or(0, String::len);
        match self {
            Self::Exact(path) | Self::Tree(path) => path.len(),
            Self::UnderDir {
                dir, parent, name, ..
            } => dir.len() + of(parent) + name.literal_len(),
            Self::Anywhere { parent, name } => of(parent) + name.literal_len(),
            Self::DirAnywhere { parent, name } => of(parent) + name.len(),
            Self::Memfd(name) => "memfd:".len() + name.literal_len(),
            Self::Deleted => "(deleted)".len(),
        }
    }

    /// Does the absolute path `path` fit? `~` in the pattern fits only itself: call
    /// [`resolve`](Self::resolve) first.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Tree(dir) => path == dir || below(path, dir).is_some(),
            Self::UnderDir {
                dir,
                depth,
                parent,
                name,
            } => below(path, dir).is_some_and(|rest| {
                let deep_enough = depth.is_none_or(|d| rest.split('/').count() == usize::from(d));
                deep_enough && name_fits(rest, parent.as_deref(), name)
            }),
            Self::Anywhere { parent, name } => path
                .strip_prefix(['/', '~'])
                .is_some_and(|rest| name_fits(rest, parent.as_deref(), name)),
            Self::DirAnywhere { parent, name } => {
                let mut before = None;
                path.split('/').skip(1).any(|part| {
                    let fits = part == name && parent.as_deref().is_none_or(|p| before == Some(p));
                    before = Some(part);
                    fits
                })
            }
            Self::Memfd(name) => memfd_name(path).is_some_and(|given| name.matches(given)),
            Self::Deleted => path.ends_with(" (deleted)"),
        }
    }

    /// Does every path that fits `other` surely fit this too? May say no where it is so, never yes where it is not.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let parent_fits = |mine: &Option<String>, theirs: &Option<String>| mine.is_none() || mine == theirs;
        match (self, other) {
            (_, Self::Exact(path)) => self.matches(path),
            (Self::Tree(_) | Self::DirAnywhere { .. }, Self::Tree(dir) | Self::UnderDir { dir, .. }) => {
                self.matches(dir)
            }
            (
                Self::UnderDir {
                    dir,
                    depth,
                    parent,
                    name,
                },
                Self::UnderDir {
                    dir: other_dir,
                    depth: other_depth,
                    parent: other_parent,
                    name: other_name,
                },
            ) => {
                let same_reach = if dir == other_dir {
                    depth.is_none() || depth == other_depth
                } else {
                    depth.is_none() && below(other_dir, dir).is_some()
                };
                same_reach
                    && parent_fits(parent, &effective_parent(other_dir, *other_depth, other_parent))
                    && name.covers(other_name)
            }
            (
                Self::Anywhere { parent, name },
                Self::UnderDir {
                    dir,
                    depth,
                    parent: other_parent,
                    name: other_name,
                },
            ) => parent_fits(parent, &effective_parent(dir, *depth, other_parent)) && name.covers(other_name),
            (
                Self::Anywhere { parent, name },
                Self::Anywhere {
                    parent: other_parent,
                    name: other_name,
                },
            ) => parent_fits(parent, other_parent) && name.covers(other_name),
            (
                Self::DirAnywhere { parent, name },
                Self::DirAnywhere {
                    parent: other_parent,
                    name: other_name,
                },
            ) => name == other_name && parent_fits(parent, other_parent),
            (Self::Memfd(name), Self::Memfd(other_name)) => name.covers(other_name),
            _ => false,
        }
    }

    /// The same pattern with `~` replaced by `home` (an absolute path; `/` is possible).
    #[must_use]
    pub fn resolve(&self, home: &Path) -> Self {
        let home = home.to_string_lossy();
        let home = home.trim_end_matches('/');
        let put = |path: &String| match path.strip_prefix('~') {
            Some("") if home.is_empty() => "/".to_owned(),
            Some(rest) => format!("{home}{rest}"),
            None => path.clone(),
        };
        match self {
            Self::Exact(path) => Self::Exact(put(path)),
            Self::Tree(dir) => Self::Tree(put(dir)),
            Self::UnderDir {
                dir,
                depth,
                parent,
                name,
            } => Self::UnderDir {
                dir: put(dir),
                depth: *depth,
                parent: parent.clone(),
                name: name.clone(),
            },
            other => other.clone(),
        }
    }
}

/// The name of the directory that holds the last component, where the pattern fixes it one way or the other.
fn effective_parent(dir: &str, depth: Option<u8>, parent: &Option<String>) -> Option<String> {
    if parent.is_some() || depth != Some(1) {
        return parent.clone();
    }
    dir.rsplit('/')
        .next()
        .filter(|name| !name.is_empty() && *name != "~")
        .map(str::to_owned)
}

/// What follows `dir/` in `path`; never empty.
fn below<'p>(path: &'p str, dir: &str) -> Option<&'p str> {
    let rest = if dir == "/" {
        path.strip_prefix('/')?
    } else {
        path.strip_prefix(dir)?.strip_prefix('/')?
    };
    (!rest.is_empty()).then_some(rest)
}

fn name_fits(rest: &str, parent: Option<&str>, name: &NameGlob) -> bool {
    let mut parts = rest.rsplit('/');
    let last = parts.next().unwrap_or_default();
    !last.is_empty() && name.matches(last) && parent.is_none_or(|wanted| parts.next() == Some(wanted))
}

/// The name given to `memfd_create`, from a path as the kernel shows it: `/memfd:NAME (deleted)`.
fn memfd_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/').unwrap_or(path).strip_prefix("memfd:")?;
    Some(name.strip_suffix(" (deleted)").unwrap_or(name))
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = |dir: &str| {
            if dir == "/" {
                "/".to_owned()
            } else {
                format!("{dir}/")
            }
        };
        let holder = |parent: &Option<String>| parent.as_ref().map_or_else(String::new, |p| format!("{p}/"));
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Tree(dir) => write!(f, "{}**", slash(dir)),
            Self::UnderDir {
                dir,
                depth,
                parent,
                name,
            } => {
                let between = depth.map_or_else(
                    || "**/".to_owned(),
                    |d| "*/".repeat(usize::from(d).saturating_sub(1 + usize::from(parent.is_some()))),
                );
                write!(f, "{}{between}{}{name}", slash(dir), holder(parent))
            }
            Self::Anywhere { parent, name } => write!(f, "**/{}{name}", holder(parent)),
            Self::DirAnywhere { parent, name } => write!(f, "**/{}{name}/**", holder(parent)),
            Self::Memfd(name) => write!(f, "memfd:{name}"),
            Self::Deleted => f.write_str("*(deleted)"),
        }
    }
}
