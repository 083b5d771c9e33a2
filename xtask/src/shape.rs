//! The rules for files: how long, called what, and nothing but modules in `mod.rs`.

use std::path::Path;

use crate::source::{self, Source};

/// Past this many lines a file holds more than one idea.
const LONGEST: usize = 400;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// Every breach of the rules in the checkout at `root`, a sentence each.
///
/// # Errors
/// A sentence, when a file cannot be read.
pub fn breaches(root: &Path) -> Result<Vec<String>, String> {
    let mut breaches = Vec::new();
    for folder in ["monitor", "monitor-ebpf", "tests", "xtask"] {
        breaches.extend(source::files(root, folder)?.iter().flat_map(breaches_in));
    }
    Ok(breaches)
}

fn breaches_in(source: &Source) -> Vec<String> {
    let path = source.path.display();
    let mut breaches = Vec::new();
    let lines = source.text.lines().count();
    if lines > LONGEST {
        breaches.push(format!(
            "{path} has {lines} lines, more than {LONGEST}: split it by idea"
        ));
    }
    for part in source
        .path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy())
    {
        if EMPTY_NAMES.contains(&part.as_ref()) {
            breaches.push(format!("{path}: `{part}` says nothing about what is inside"));
        }
    }
    if source.path.file_name().is_some_and(|name| name == "mod.rs") {
        let logic = source.text.lines().position(|line| {
            let code = line
                .trim_start()
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ");
            ["fn ", "async fn ", "unsafe fn ", "impl ", "impl<"]
                .iter()
                .any(|start| code.starts_with(start))
        });
        if let Some(at) = logic {
            breaches.push(format!("{path}:{} has logic: give it a file of its own", at + 1));
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{breaches, breaches_in};
    use crate::source::Source;

    fn of(path: &str, text: &str) -> Vec<String> {
        breaches_in(&Source {
            path: PathBuf::from(path),
            text: text.to_owned(),
        })
    }

    #[test]
    fn each_rule_finds_its_breach() {
        assert!(of("monitor/src/scope/parse.rs", "fn parse() {}\n").is_empty());
        assert!(
            of(
                "monitor/src/scope/mod.rs",
                "//! Text.\npub mod parse;\npub use parse::parse;\n"
            )
            .is_empty()
        );
        assert_eq!(of("monitor/src/a.rs", &"x\n".repeat(401)).len(), 1);
        assert_eq!(of("monitor/src/util/a.rs", "").len(), 1);
        assert_eq!(of("monitor/src/scope/helpers.rs", "").len(), 1);
        assert_eq!(
            of("monitor/src/scope/mod.rs", "pub mod a;\npub fn b() {}\n").len(),
            1
        );
    }

    #[test]
    fn this_checkout_keeps_them() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert_eq!(breaches(&root), Ok(Vec::new()));
    }
}
