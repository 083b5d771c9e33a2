//! Finds and reads scope files: by path, by name, or built in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::scope::{builtin, effective::Effective, error::ScopeErrors, extends::ScopeFile, merge, suggest};

/// Why a scope could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is none of that name.
    #[error("find scope `{name}`: {remedy}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Where one could be, or the nearest name.
        remedy: String,
    },
    /// It is there, and cannot be read.
    #[error("read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It has errors, one list for each file.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Scope(Vec<ScopeErrors>),
}

/// Reads the scope that `name` stands for: a path, a name in `scope_dir`, or a built-in one, with or without `@`.
///
/// # Errors
/// When there is none, it cannot be read, or has errors of its own.
pub fn file(name: &str, scope_dir: &Path) -> Result<ScopeFile, LoadError> {
    if !name.starts_with('@') {
        let is_path = name.contains('/') || name.ends_with(".toml") || Path::new(name).is_file();
        let installed = scope_dir.join(format!("{name}.toml"));
        let path = if is_path { PathBuf::from(name) } else { installed };
        if is_path || path.exists() {
            let source = fs::read_to_string(&path).map_err(|error| LoadError::Io {
                path: path.clone(),
                error,
            })?;
            return ScopeFile::read(path.to_string_lossy(), source)
                .map_err(|errors| LoadError::Scope(vec![errors]));
        }
    }
    match ScopeFile::builtin(name) {
        Some(read) => read.map_err(|errors| LoadError::Scope(vec![errors])),
        None => Err(LoadError::Unknown {
            name: name.to_owned(),
            remedy: remedy(name, scope_dir),
        }),
    }
}

fn remedy(name: &str, scope_dir: &Path) -> String {
    let known: Vec<&str> = builtin::all().iter().map(|one| one.name).collect();
    match suggest::nearest(name.trim_start_matches('@'), &known) {
        Some(near) => format!("did you mean the built-in `{near}`?"),
        None => format!(
            "there is no {} and no built-in one",
            scope_dir.join(format!("{name}.toml")).display()
        ),
    }
}

/// The text of a local fragment that `from` extends: beside it, else in `scope_dir`. `None` where there is none that
/// can be read.
#[must_use]
pub fn fragment(from: &ScopeFile, scope_dir: &Path, name: &str) -> Option<(String, String)> {
    let file_name = if name.ends_with(".toml") {
        name.to_owned()
    } else {
        format!("{name}.toml")
    };
    let beside = Path::new(&from.file).parent().map(|dir| dir.join(&file_name));
    [beside, Some(scope_dir.join(&file_name))]
        .into_iter()
        .flatten()
        .find_map(|path| {
            let source = fs::read_to_string(&path).ok()?;
            Some((path.to_string_lossy().into_owned(), source))
        })
}

/// Reads a scope as [`file`] does, and merges it with everything it extends.
///
/// # Errors
/// As [`file`], and those of the fragments.
pub fn effective(name: &str, scope_dir: &Path) -> Result<Effective, LoadError> {
    let file = file(name, scope_dir)?;
    merge::effective(&file, &|fragment_name| fragment(&file, scope_dir, fragment_name))
        .map_err(LoadError::Scope)
}
