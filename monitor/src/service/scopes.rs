//! The scope files in force. A bad file leaves what was loaded before in force, and says so.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    api::types::{FragmentText, ScopeFault, ScopeInfo, ScopeState},
    config::scope_files::{self, LoadError},
    scope::{effective::Effective, extends::ScopeFile, merge},
    service::policies::Source,
};

/// A scope that is in force.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scope with everything it builds on, `~` standing.
    pub scope: Effective,
    /// File and text.
    pub source: Source,
}

/// One file of the scopes' directory.
#[derive(Debug)]
struct File {
    changed: Option<SystemTime>,
    loaded: Option<Loaded>,
    error: Option<String>,
}

/// The scopes' directory.
#[derive(Debug, Default)]
pub struct Scopes {
    directory: PathBuf,
    files: BTreeMap<PathBuf, File>,
}

impl Scopes {
    /// Looks into `directory` with the next [`Scopes::reload`].
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            files: BTreeMap::new(),
        }
    }

    /// Where the files are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reads the files that have changed, or all with `force`. Returns the names of scopes that are new or different.
    pub fn reload(&mut self, force: bool) -> Vec<String> {
        let mut seen = Vec::new();
        let mut changed = Vec::new();
        let mut fragments_changed = force;
        for path in toml_files(&self.directory) {
            let time = std::fs::metadata(&path).and_then(|meta| meta.modified()).ok();
            let known = self.files.get(&path);
            fragments_changed |= known.is_none_or(|known| known.changed != time);
            seen.push((path, time));
        }
        let gone: Vec<PathBuf> = self
            .files
            .keys()
            .filter(|path| !seen.iter().any(|(seen, _)| seen == *path))
            .cloned()
            .collect();
        for path in gone {
            if let Some(Loaded { scope, .. }) = self.files.remove(&path).and_then(|file| file.loaded) {
                changed.push(scope.name);
            }
        }
        if !fragments_changed {
            return changed;
        }
        // Any file can be a fragment of any other, so all are read again.
        for (path, time) in seen {
            let read = load_file(&path, &self.directory);
            let file = self.files.entry(path).or_insert(File {
                changed: None,
                loaded: None,
                error: None,
            });
            file.changed = time;
            match read {
                Ok(loaded) => {
                    file.error = None;
                    if file.loaded.as_ref().is_none_or(|old| old.scope != loaded.scope) {
                        changed.push(loaded.scope.name.clone());
                    }
                    file.loaded = Some(loaded);
                }
                Err(error) => file.error = Some(error.to_string()),
            }
        }
        changed
    }

    /// What the directory holds now, whatever is in force: the files, and the names of scopes that are new, different
    /// or gone.
    #[must_use]
    pub fn read_again(&self) -> (Self, Vec<String>) {
        let mut fresh = Self::new(&self.directory);
        fresh.reload(true);
        let differs = |of: &Self, loaded: &&Loaded| {
            of.get(&loaded.scope.name)
                .is_none_or(|other| other.scope != loaded.scope)
        };
        let mut changed: Vec<String> = fresh
            .iter()
            .filter(|loaded| differs(self, loaded))
            .chain(
                self.iter()
                    .filter(|loaded| fresh.get(&loaded.scope.name).is_none()),
            )
            .map(|loaded| loaded.scope.name.clone())
            .collect();
        changed.sort();
        changed.dedup();
        (fresh, changed)
    }

    /// Notes the errors that `fresh` found, and takes nothing else from it.
    pub fn take_errors(&mut self, fresh: &Self) {
        for (path, found) in &fresh.files {
            let Some(error) = &found.error else { continue };
            let file = self.files.entry(path.clone()).or_insert(File {
                changed: None,
                loaded: None,
                error: None,
            });
            file.error = Some(error.clone());
        }
    }

    /// The files that have errors.
    #[must_use]
    pub fn faults(&self) -> Vec<ScopeFault> {
        let fault = |(path, file): (&PathBuf, &File)| {
            Some(ScopeFault {
                file: path.display().to_string(),
                error: file.error.clone()?,
            })
        };
        self.files.iter().filter_map(fault).collect()
    }

    /// A scope in force, by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Loaded> {
        self.files
            .values()
            .filter_map(|file| file.loaded.as_ref())
            .find(|loaded| loaded.scope.name == name)
    }

    /// Every scope in force.
    pub fn iter(&self) -> impl Iterator<Item = &Loaded> {
        self.files.values().filter_map(|file| file.loaded.as_ref())
    }

    /// What `status` says of each file.
    #[must_use]
    pub fn infos(&self) -> Vec<ScopeInfo> {
        let now = jiff::Timestamp::now();
        let info = |(path, file): (&PathBuf, &File)| {
            let stem = path
                .file_stem()
                .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            let expired = file
                .loaded
                .as_ref()
                .and_then(|loaded| loaded.scope.expires)
                .is_some_and(|until| until <= now);
            let state = match (&file.loaded, &file.error) {
                (Some(_), Some(_)) => ScopeState::OldInForce,
                (None, _) => ScopeState::NotLoaded,
                (Some(_), None) if expired => ScopeState::Expired,
                (Some(_), None) => ScopeState::InForce,
            };
            ScopeInfo {
                name: file
                    .loaded
                    .as_ref()
                    .map_or(stem, |loaded| loaded.scope.name.clone()),
                file: Some(path.display().to_string()),
                mode: file
                    .loaded
                    .as_ref()
                    .map_or_else(Default::default, |loaded| loaded.scope.mode),
                state,
                error: file.error.clone(),
            }
        };
        self.files.iter().map(info).collect()
    }
}

fn toml_files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

fn load_file(path: &Path, directory: &Path) -> Result<Loaded, LoadError> {
    let name = path.to_string_lossy();
    let file = scope_files::file(&name, directory)?;
    let used = RefCell::new(Vec::new());
    let fragment = |name: &str| {
        let found = scope_files::fragment(&file, directory, name)?;
        let (file, text) = found.clone();
        used.borrow_mut().push(FragmentText {
            name: name.to_owned(),
            file,
            text,
        });
        Some(found)
    };
    let scope = merge::effective(&file, &fragment).map_err(LoadError::Scope)?;
    let source = Source {
        file: file.file.clone(),
        text: file.source.clone(),
        fragments: used.into_inner(),
    };
    Ok(Loaded { scope, source })
}

/// The scope that `name` stands for: one in force, or a built-in one.
///
/// # Errors
/// [`LoadError`].
pub fn named(scopes: &Scopes, name: &str) -> Result<Loaded, LoadError> {
    if let Some(found) = scopes.get(name) {
        return Ok(found.clone());
    }
    let file = scope_files::file(&format!("@{}", name.trim_start_matches('@')), &scopes.directory)?;
    let scope = merge::effective(&file, &|_| None).map_err(LoadError::Scope)?;
    Ok(Loaded {
        scope,
        source: Source {
            file: file.file,
            text: file.source,
            fragments: Vec::new(),
        },
    })
}

/// The scope of a text that a caller sent; it can only build on built-in fragments and those it sent along.
///
/// # Errors
/// [`LoadError`].
pub fn inline(name: &str, text: &str, fragments: &[FragmentText]) -> Result<Loaded, LoadError> {
    let file = ScopeFile::read(name, text).map_err(|errors| LoadError::Scope(vec![errors]))?;
    let scope =
        merge::effective(&file, &|wanted| FragmentText::find(fragments, wanted)).map_err(LoadError::Scope)?;
    Ok(Loaded {
        scope,
        source: Source {
            file: file.file,
            text: file.source,
            fragments: fragments.to_vec(),
        },
    })
}
