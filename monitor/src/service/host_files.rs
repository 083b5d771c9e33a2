//! What paths lead to on this host, for the compiler of scopes.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap, HashSet},
    fs::{File, OpenOptions},
    os::{fd::AsFd as _, unix::fs::OpenOptionsExt as _},
    path::{Component, Path, PathBuf},
    rc::Rc,
};

use nix::libc::O_PATH;

use crate::{
    decide::compile::{Locate, Located, Node},
    observe::{
        fanotify::{self, Devices},
        mounts::unescaped,
    },
    scope::name_glob::NameGlob,
};

/// Most files below one guarded tree whose inodes are taken in; what lies beyond is guarded by its directory alone.
const TREE_MAX: usize = 20_000;

/// Asks the filesystems of this host, as the daemon sees them.
#[derive(Debug, Default)]
pub struct HostFiles {
    devices: Devices,
}

impl HostFiles {
    /// The object that a path leads to, symbolic links followed.
    #[must_use]
    pub fn node(&self, path: &Path) -> Option<Node> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(O_PATH)
            .open(path)
            .ok()?;
        self.node_of(&file)
    }

    fn node_of(&self, file: &File) -> Option<Node> {
        let (inode, (major, minor)) = self.devices.identity(file.as_fd()).ok()?;
        Some(Node {
            dev: major << 20 | minor,
            inode,
            generation: fanotify::generation(file.as_fd()).unwrap_or(0),
        })
    }

    /// One look at the filesystems, for compiling a scope.
    #[must_use]
    pub fn look(&self) -> Look<'_> {
        Look {
            host: self,
            nodes: RefCell::default(),
            names: RefCell::default(),
            links: RefCell::default(),
        }
    }

    fn walk(&self, dir: &Path, dev: u32, files: &mut Vec<(Node, String)>) {
        let Ok(entries) = std::fs::read_dir(dir) else {
            return;
        };
        for entry in entries.flatten() {
            if files.len() >= TREE_MAX {
                return;
            }
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_symlink() {
                continue;
            }
            let Some(node) = self.node(&entry.path()) else {
                continue;
            };
            if kind.is_dir() && node.dev == dev {
                self.walk(&entry.path(), dev, files);
            } else if !kind.is_dir() {
                files.push((node, entry.path().to_string_lossy().into_owned()));
            }
        }
    }
}

/// One look: what was found stays as it was found until the look ends, so that ten thousand rules about one directory
/// read it once.
pub struct Look<'h> {
    host: &'h HostFiles,
    nodes: RefCell<HashMap<PathBuf, Option<Node>>>,
    /// What each directory lists.
    names: RefCell<HashMap<PathBuf, Rc<HashSet<String>>>>,
    /// How many symbolic links of a directory lead to each target.
    links: RefCell<HashMap<PathBuf, Rc<HashMap<PathBuf, usize>>>>,
}

impl Look<'_> {
    fn node(&self, path: &Path) -> Option<Node> {
        if let Some(known) = self.nodes.borrow().get(path) {
            return *known;
        }
        let found = self.host.node(path);
        self.nodes.borrow_mut().insert(path.to_owned(), found);
        found
    }

    fn listed(&self, dir: &Path) -> Rc<HashSet<String>> {
        let mut names = self.names.borrow_mut();
        let listed = names.entry(dir.to_owned()).or_insert_with(|| {
            let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
            Rc::new(
                entries
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .collect(),
            )
        });
        Rc::clone(listed)
    }

    /// Whether a program on `PATH` is a link to one that is many programs, as busybox is.
    fn is_of_many_names(&self, path: &str) -> bool {
        const MANY: usize = 8;
        let path = Path::new(path);
        let (Ok(target), Some(dir)) = (std::fs::canonicalize(path), path.parent()) else {
            return false;
        };
        target != path
            && self
                .links_in(dir)
                .get(&target)
                .is_some_and(|count| *count >= MANY)
    }

    fn links_in(&self, dir: &Path) -> Rc<HashMap<PathBuf, usize>> {
        let mut links = self.links.borrow_mut();
        let counted = links.entry(dir.to_owned()).or_insert_with(|| {
            let mut counted = HashMap::new();
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_symlink())
                    && let Ok(target) = std::fs::canonicalize(entry.path())
                {
                    *counted.entry(target).or_default() += 1;
                }
            }
            Rc::new(counted)
        });
        Rc::clone(counted)
    }

    /// The nearest directory of a path that exists, and the components below it.
    fn nearest(&self, path: &Path) -> Option<(Node, Vec<String>)> {
        path.ancestors().skip(1).find_map(|dir| {
            let node = self.node(dir)?;
            let rest = path.strip_prefix(dir).ok()?;
            Some((
                node,
                rest.components()
                    .map(|part| part.as_os_str().to_string_lossy().into_owned())
                    .collect(),
            ))
        })
    }
}

impl Locate for Look<'_> {
    fn path(&self, path: &str) -> Located {
        let path = Path::new(path);
        let mut located = Located {
            object: self.node(path),
            ..Located::default()
        };
        let (Some(parent), Some(Component::Normal(name))) = (path.parent(), path.components().next_back())
        else {
            return located;
        };
        match self.node(parent) {
            Some(node) => located.entries.push((node, name.to_string_lossy().into_owned())),
            None => located.missing = self.nearest(path),
        }
        if located.object.is_some()
            && let Ok(target) = std::fs::canonicalize(path)
            && let (Some(parent), Some(name)) = (target.parent(), target.file_name())
            && let Some(node) = self.node(parent)
        {
            let entry = (node, name.to_string_lossy().into_owned());
            if !located.entries.contains(&entry) {
                located.entries.push(entry);
            }
        }
        located
    }

    fn named(&self, dir: &str, name: &NameGlob) -> Vec<(Node, String)> {
        let listed = self.listed(Path::new(dir));
        let fits: Vec<&str> = if name.is_exact() {
            listed
                .get(name.prefix())
                .map(String::as_str)
                .into_iter()
                .collect()
        } else {
            let fits = listed.iter().map(String::as_str);
            fits.filter(|listed| name.matches(listed)).collect()
        };
        fits.into_iter()
            .map(|name| Path::new(dir).join(name))
            .filter(|path| !path.is_dir())
            .take(TREE_MAX)
            .filter_map(|path| Some((self.node(&path)?, path.to_string_lossy().into_owned())))
            .collect()
    }

    fn below(&self, dir: &str) -> (Vec<(Node, String)>, Vec<Node>) {
        let Ok(real) = std::fs::canonicalize(dir) else {
            return Default::default();
        };
        let mut files = Vec::new();
        if let Some(root) = self.node(&real) {
            self.host.walk(&real, root.dev, &mut files);
        }
        if real != Path::new(dir) {
            // Patterns speak of the path as the scope has it, not of where its links lead.
            let real = real.to_string_lossy();
            for (_, path) in &mut files {
                if let Some(rest) = path.strip_prefix(&*real) {
                    *path = format!("{dir}{rest}");
                }
            }
        }
        let list = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let real = std::fs::canonicalize(dir).unwrap_or_default();
        let mounts = list
            .lines()
            .filter_map(|line| line.split(' ').nth(4))
            .map(|at| PathBuf::from(unescaped(at)))
            .filter(|at| at.starts_with(&real) && *at != real)
            .filter_map(|at| self.node(&at))
            .collect();
        (files, mounts)
    }

    fn programs(&self, name: &NameGlob) -> Vec<(Node, String)> {
        const USUAL: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let path = std::env::var("PATH").unwrap_or_default();
        let dirs: BTreeSet<&str> = USUAL
            .split(':')
            .chain(path.split(':'))
            .filter(|dir| dir.starts_with('/'))
            .collect();
        let found: BTreeSet<(Node, String)> = dirs.iter().flat_map(|dir| self.named(dir, name)).collect();
        found
            .into_iter()
            .filter(|(_, path)| !self.is_of_many_names(path))
            .collect()
    }
}
