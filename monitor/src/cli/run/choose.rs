//! Which scope holds the command: the one that was named, or the built-in one that fits.

use std::{cell::RefCell, ffi::OsString, path::Path};

use crate::{
    api::types::{FragmentText, ScopeChoice},
    config::scope_files::{self, LoadError},
    scope::{builtin, merge},
};

/// A scope to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The scope. A file's text is in it, with every local fragment that it builds on.
    pub(super) scope: ScopeChoice,
    /// Nobody has named it.
    pub(super) by_default: bool,
}

/// The scope for `command`: the one `given`, else the built-in one that fits it.
///
/// A scope given with a `/` or ending in `.toml` is a file; anything else is a name, even where a file is called so: a
/// file that an agent left in the working directory does not take the place of an installed scope. A file, and the
/// fragments beside it or in `scope_dir`, are read here, with the caller's privileges.
///
/// # Errors
/// A file that cannot be read or has errors, or a fragment that is not there; all errors at once.
pub(super) fn choose(
    given: Option<&str>,
    command: &[OsString],
    scope_dir: &Path,
) -> Result<Choice, LoadError> {
    match given {
        Some(path) if path.contains('/') || path.ends_with(".toml") => {
            inline(path, scope_dir).map(|scope| Choice {
                scope,
                by_default: false,
            })
        }
        Some(name) => Ok(Choice {
            scope: ScopeChoice::Named(name.to_owned()),
            by_default: false,
        }),
        None => {
            let words: Vec<String> = command
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            // Without the @, so that a scope of that name which the operator has installed comes first.
            let name = builtin::for_command(&words).to_owned();
            Ok(Choice {
                scope: ScopeChoice::Named(name),
                by_default: true,
            })
        }
    }
}

fn inline(path: &str, scope_dir: &Path) -> Result<ScopeChoice, LoadError> {
    let file = scope_files::file(path, scope_dir)?;
    let read: RefCell<Vec<FragmentText>> = RefCell::default();
    let load = |name: &str| {
        let (fragment, text) = scope_files::fragment(&file, scope_dir, name)?;
        let mut read = read.borrow_mut();
        if !read.iter().any(|known| known.name == name) {
            read.push(FragmentText {
                name: name.to_owned(),
                file: fragment.clone(),
                text: text.clone(),
            });
        }
        Some((fragment, text))
    };
    merge::effective(&file, &load).map_err(LoadError::Scope)?;
    Ok(ScopeChoice::Inline {
        text: file.source,
        file: file.file,
        fragments: read.into_inner(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_file() {
        let choice = choose(Some("Cargo.lock"), &["claude".into()], Path::new("/")).unwrap();
        assert_eq!(
            choice,
            Choice {
                scope: ScopeChoice::Named("Cargo.lock".into()),
                by_default: false
            }
        );
    }

    #[test]
    fn without_a_scope_the_built_in_one_is_taken() {
        for (command, name) in [
            ("/usr/bin/claude", "claude-code"),
            ("codex", "codex"),
            ("make", "coding-agent"),
        ] {
            let choice = choose(None, &[command.into()], Path::new("/")).unwrap();
            assert_eq!(
                choice,
                Choice {
                    scope: ScopeChoice::Named(name.into()),
                    by_default: true
                }
            );
        }
    }

    #[test]
    fn a_file_brings_its_fragments_along() {
        let dir = tempfile::tempdir().unwrap();
        let installed = tempfile::tempdir().unwrap();
        let write = |dir: &Path, name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
        write(
            dir.path(),
            "agent.toml",
            "extends = [\"near\", \"@coding-agent\"]",
        );
        write(dir.path(), "near.toml", "extends = [\"far\"]");
        write(installed.path(), "far.toml", "description = \"far\"");
        let path = dir.path().join("agent.toml");
        let choice = choose(path.to_str(), &["x".into()], installed.path()).unwrap();
        let ScopeChoice::Inline {
            text,
            file,
            fragments,
        } = choice.scope
        else {
            panic!("{choice:?}")
        };
        assert_eq!(
            (text.as_str(), Path::new(&file)),
            ("extends = [\"near\", \"@coding-agent\"]", path.as_path())
        );
        let names: Vec<&str> = fragments.iter().map(|fragment| fragment.name.as_str()).collect();
        assert_eq!(names, ["near", "far"]);
        assert_eq!(
            FragmentText::find(&fragments, "far").unwrap().1,
            "description = \"far\""
        );
    }

    #[test]
    fn every_error_of_a_file_is_found_before_anything_runs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.toml");
        std::fs::write(&path, "extends = [\"nowhere\"]").unwrap();
        let error = choose(path.to_str(), &["x".into()], dir.path()).unwrap_err();
        assert!(matches!(error, LoadError::Scope(_)), "{error}");
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
}
