//! What paths lead to on this host, for the compiler of scopes.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    os::{fd::AsFd as _, unix::fs::OpenOptionsExt as _},
    path::{Component, Path, PathBuf},
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

impl Locate for HostFiles {
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
            None => located.missing = nearest(self, path),
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
        let Ok(entries) = std::fs::read_dir(dir) else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter(|entry| name.matches(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
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
            self.walk(&real, root.dev, &mut files);
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
            .filter(|(_, path)| !is_of_many_names(path))
            .collect()
    }
}

/// Whether a program on `PATH` is a link to one that is many programs, as busybox is.
fn is_of_many_names(path: &str) -> bool {
    const MANY: usize = 8;
    let Ok(target) = std::fs::canonicalize(path) else {
        return false;
    };
    if target == Path::new(path) {
        return false;
    }
    let Some(dir) = Path::new(path).parent() else {
        return false;
    };
    let links = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let same = links.filter(|entry| {
        entry.file_type().is_ok_and(|kind| kind.is_symlink())
            && std::fs::canonicalize(entry.path()).is_ok_and(|leads| leads == target)
    });
    same.take(MANY).count() == MANY
}

/// The nearest directory of a path that exists, and the components below it.
fn nearest(files: &HostFiles, path: &Path) -> Option<(Node, Vec<String>)> {
    path.ancestors().skip(1).find_map(|dir| {
        let node = files.node(dir)?;
        let rest = path.strip_prefix(dir).ok()?;
        Some((
            node,
            rest.components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect(),
        ))
    })
}
