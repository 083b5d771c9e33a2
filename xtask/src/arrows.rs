//! The arrows of docs/architecture.md: a stage imports only what stands before it.

use std::path::Path;

use crate::source::{self, Source};

/// The stages in the order of the data's way; each may import those before it, and itself. `config` stands
/// behind the stages because it turns the daemon's file into the settings that each of them declares.
const ORDER: [&str; 13] = [
    "scope",
    "observe",
    "decode",
    "attribute",
    "decide",
    "ledger",
    "respond",
    "record",
    "export",
    "api",
    "config",
    "service",
    "cli",
];

/// The files that name every stage.
const ABOVE_ALL: [&str; 3] = ["lib", "main", "pipeline"];

/// Arrows that point backwards all the same: (from a file whose path begins so, to a path that begins so,
/// why that is right).
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    (
        "monitor/src/",
        "record::event",
        "the event record is the form in which every stage speaks of an act; it is data, and imports only scope",
    ),
    (
        "monitor/src/service/",
        "pipeline::",
        "the service runs the pipeline as long as the daemon lives",
    ),
    (
        "monitor/src/cli/",
        "pipeline::",
        "`run` without a daemon runs the pipeline for the length of one session",
    ),
];

/// Every import against the order in the checkout at `root`, a sentence each.
///
/// # Errors
/// A sentence, when a file cannot be read.
pub fn breaches(root: &Path) -> Result<Vec<String>, String> {
    Ok(source::files(root, "monitor/src")?
        .iter()
        .flat_map(breaches_in)
        .collect())
}

fn breaches_in(source: &Source) -> Vec<String> {
    let file = source.path.display().to_string();
    let Some(module) = file
        .strip_prefix("monitor/src/")
        .and_then(|path| path.strip_suffix(".rs"))
    else {
        return Vec::new();
    };
    let mut modules: Vec<&str> = module.split('/').collect();
    if modules.last() == Some(&"mod") {
        modules.pop();
    }
    let stage = modules[0];
    // Tests may take what they like, to hold one stage against another.
    if ABOVE_ALL.contains(&stage) || modules.contains(&"tests") {
        return Vec::new();
    }
    let Some(rank) = rank(stage) else {
        return vec![format!(
            "{file}: `{stage}` is no stage; give it its place in xtask/src/arrows.rs"
        )];
    };
    let allowed = |import: &str| {
        let target = import.split("::").next().unwrap_or_default();
        let before = self::rank(target).is_none_or(|other| other < rank);
        let excepted = EXCEPTIONS
            .iter()
            .any(|(from, to, _)| file.starts_with(from) && import.starts_with(to));
        target == stage || (before && !ABOVE_ALL.contains(&target)) || excepted
    };
    let mut wrong: Vec<String> = imports(&source.text, modules.len())
        .into_iter()
        .filter(|i| !allowed(i))
        .collect();
    wrong.sort();
    wrong.dedup();
    wrong
        .iter()
        .map(|import| format!("{file} imports crate::{import}, which stands after `{stage}`"))
        .collect()
}

fn rank(stage: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == stage)
}

/// What the text of a module `depth` levels below the crate's root takes from other modules of the crate,
/// as paths from there; without its tests.
fn imports(text: &str, depth: usize) -> Vec<String> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim())
        .collect();
    let from_root = "super::".repeat(depth);
    let mut found = Vec::new();
    for start in ["crate::", from_root.as_str()] {
        for (at, _) in code.match_indices(start) {
            let whole_word =
                !code[..at].ends_with(|before: char| before.is_alphanumeric() || "_:$".contains(before));
            if whole_word {
                found.extend(expand(&code[at + start.len()..]));
            }
        }
    }
    found
}

/// `a::b` from `a::b;…`, and both `a::b` and `a::c::d` from `a::{b, c::d};…`.
fn expand(rest: &str) -> Vec<String> {
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || "_:".contains(c)))
        .unwrap_or(rest.len());
    let (path, after) = rest.split_at(end);
    let Some(group) = after.strip_prefix('{') else {
        return vec![path.to_owned()];
    };
    let mut depth = 0_usize;
    let mut entries = vec![String::new()];
    for character in group.chars() {
        match character {
            '}' if depth == 0 => break,
            ',' if depth == 0 => entries.push(String::new()),
            _ => {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                entries
                    .last_mut()
                    .into_iter()
                    .for_each(|entry| entry.push(character));
            }
        }
    }
    let entries = entries
        .iter()
        .map(|entry| entry.trim())
        .filter(|entry| !entry.is_empty());
    entries
        .flat_map(expand)
        .map(|entry| format!("{path}{entry}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{breaches, breaches_in, imports};
    use crate::source::Source;

    fn of(path: &str, text: &str) -> Vec<String> {
        breaches_in(&Source {
            path: PathBuf::from(path),
            text: text.to_owned(),
        })
    }

    #[test]
    fn every_way_to_import_is_seen() {
        let text = "use crate::{\n    scope::{words::Mode, Scope},\n    api, // crate::cli\n};\n\
                    fn f() { crate::record::store::open(); super::super::cli::run(); super::near(); }\n\
                    #[cfg(test)]\nmod tests { use crate::export; }\n";
        assert_eq!(
            imports(text, 2),
            [
                "scope::words::Mode",
                "scope::Scope",
                "api",
                "record::store::open",
                "cli::run"
            ]
        );
    }

    #[test]
    fn a_stage_may_look_back_and_not_ahead() {
        assert!(of("monitor/src/decide/compile.rs", "use crate::scope::Scope;").is_empty());
        assert!(of("monitor/src/decide/compile.rs", "use crate::decide::evaluate;").is_empty());
        assert!(of("monitor/src/pipeline.rs", "use crate::cli;").is_empty());
        assert_eq!(
            of("monitor/src/decide/compile.rs", "use crate::api::types;").len(),
            1
        );
        assert_eq!(of("monitor/src/decide/mod.rs", "use super::cli;").len(), 1);
        assert_eq!(
            of("monitor/src/decide/compile.rs", "use crate::pipeline;").len(),
            1
        );
        assert_eq!(of("monitor/src/elsewhere/thing.rs", "").len(), 1);
    }

    #[test]
    fn this_checkout_keeps_the_order() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert_eq!(breaches(&root), Ok(Vec::new()));
    }
}
