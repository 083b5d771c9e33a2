//! Follows `extends`: every fragment a scope builds on, with how far away it is.

use super::{
    builtin,
    error::{ScopeError, ScopeErrors},
    model::Scope,
    parse::parse,
    suggest,
};

/// The most files that may be between a scope and what it builds on.
const DEPTH_MAX: u8 = 15;

/// A scope file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeFile {
    /// What it is called in messages: a path, or `@NAME`.
    pub file: String,
    /// Its text.
    pub source: String,
    /// What it says.
    pub scope: Scope,
}

impl ScopeFile {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Every error in it.
    pub fn read(file: impl Into<String>, source: impl Into<String>) -> Result<Self, ScopeErrors> {
        let (file, source) = (file.into(), source.into());
        let scope = parse(&file, &source)?;
        Ok(Self { file, source, scope })
    }

    /// The built-in scope called `name`, with or without `@`; `None` where there is none.
    ///
    /// # Errors
    /// None in a released binary: a test reads them all.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Result<Self, ScopeErrors>> {
        builtin::lookup(name).map(|found| Self::read(format!("@{}", found.name), found.source))
    }
}

/// What gives the text of a local fragment: from its name as written to its file's name and text.
pub type Load<'l> = dyn Fn(&str) -> Option<(String, String)> + 'l;

/// One fragment that a scope builds on.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// Its name, in rule ids: `@name` for a built-in one.
    pub name: String,
    /// How far away it is, from 1.
    pub layer: u8,
    /// What it says.
    pub scope: Scope,
}

/// Every fragment that `root` builds on, nearest first; one that is reached twice counts where it is nearest.
///
/// # Errors
/// Fragments that do not exist, have errors, or build on themselves; one list per file.
pub fn fragments(root: &ScopeFile, load: &Load<'_>) -> Result<Vec<Fragment>, Vec<ScopeErrors>> {
    let mut walk = Walk {
        load,
        found: Vec::new(),
        errors: Vec::new(),
    };
    walk.follow(root, &mut vec![root.file.clone()], 1);
    if walk.errors.is_empty() {
        walk.found.sort_by_key(|fragment| fragment.layer);
        Ok(walk.found)
    } else {
        Err(walk.errors)
    }
}

struct Walk<'w> {
    load: &'w Load<'w>,
    found: Vec<Fragment>,
    errors: Vec<ScopeErrors>,
}

impl Walk<'_> {
    fn follow(&mut self, from: &ScopeFile, path: &mut Vec<String>, layer: u8) {
        let mut wrong = Vec::new();
        for (name, span) in &from.scope.extends {
            let read = match self.read(name) {
                Some(Ok(read)) => read,
                Some(Err(errors)) => {
                    self.errors.push(errors);
                    continue;
                }
                None => {
                    wrong.push(ScopeError::new(
                        span.clone(),
                        format!("there is no fragment `{name}`"),
                        unknown(name),
                    ));
                    continue;
                }
            };
            if path.contains(&read.file) || layer > DEPTH_MAX {
                let way = format!("{} → {}", path.join(" → "), read.file);
                wrong.push(ScopeError::new(
                    span.clone(),
                    format!("`{name}` builds on itself: {way}"),
                    "take one of them out",
                ));
                continue;
            }
            path.push(read.file.clone());
            self.follow(&read, path, layer + 1);
            path.pop();
            let label = if name.starts_with('@') {
                name.clone()
            } else {
                read.scope.name.clone()
            };
            match self.found.iter_mut().find(|known| known.name == label) {
                Some(known) => known.layer = known.layer.min(layer),
                None => self.found.push(Fragment {
                    name: label,
                    layer,
                    scope: read.scope,
                }),
            }
        }
        if !wrong.is_empty() {
            self.errors
                .push(ScopeErrors::new(from.file.clone(), from.source.clone(), wrong));
        }
    }

    fn read(&self, name: &str) -> Option<Result<ScopeFile, ScopeErrors>> {
        if name.starts_with('@') {
            return ScopeFile::builtin(name);
        }
        (self.load)(name).map(|(file, source)| ScopeFile::read(file, source))
    }
}

fn unknown(name: &str) -> String {
    if name.starts_with('@') {
        let known: Vec<String> = builtin::all()
            .iter()
            .map(|one| format!("@{}", one.name))
            .collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        return suggest::did_you_mean(name, &known);
    }
    match builtin::lookup(name) {
        Some(found) => format!("write `@{}` for the built-in one", found.name),
        None => format!(
            "put `{}.toml` beside this file, or name a built-in one with `@`",
            name.trim_end_matches(".toml")
        ),
    }
}
