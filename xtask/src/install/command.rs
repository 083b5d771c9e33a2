//! The command: two packages, the systems, and what each of them said.

use std::path::Path;

use super::results::{self, Run};
use super::{image, machine};
use crate::{build, package};

/// Versions of the two packages: of one checkout, so that only the upgrade itself is tried.
const VERSIONS: [&str; 2] = ["0.1.0-1", "0.1.0-2"];

/// Where the times are kept.
const KEPT_IN: &str = "docs/operations.md";

/// Makes the packages and the systems, and runs the test there.
///
/// # Errors
/// A sentence naming the steps that failed, or why there was no test.
pub fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let (suites, keep) = options(words)?;
    let folder = build::target_directory(root).join("install-test");
    let [old, new] = VERSIONS;
    let (old, new) = (package::deb(root, old)?, package::deb(root, new)?);
    let mut runs = Vec::new();
    for suite in suites {
        let folder = folder.join(suite);
        let system = image::make(root, &folder, suite, &old, &new)?;
        let said = machine::run(root, &folder, &system)?;
        let run = Run::of(suite, &said.results, said.took);
        print!("{}", said.results);
        runs.push(run);
    }
    let table = results::table(&runs);
    println!("\n{table}");
    let wrong: Vec<String> = runs.iter().filter_map(|run| run.judge().err()).collect();
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    if keep {
        results::keep(&root.join(KEPT_IN), &table)
    } else {
        Ok(())
    }
}

/// The releases that are tried, and whether their times are kept.
fn options<'w>(words: &[&'w str]) -> Result<(Vec<&'w str>, bool), String> {
    let (mut suites, mut keep) = (Vec::new(), false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match (*word, words.as_slice().first()) {
            ("--keep", _) => keep = true,
            ("--suite", Some(suite)) if image::SUITES.contains(suite) => {
                suites.push(*suite);
                words.next();
            }
            _ => {
                let known = image::SUITES.join("|");
                return Err(format!("install-test knows `--suite {known}` and `--keep` alone"));
            }
        }
    }
    if suites.is_empty() {
        suites.extend(image::SUITES);
    }
    Ok((suites, keep))
}

#[cfg(test)]
mod tests {
    use super::options;

    #[test]
    fn all_releases_are_tried_where_none_is_named() {
        assert_eq!(options(&[]), Ok((vec!["bookworm", "trixie"], false)));
        assert_eq!(
            options(&["--keep", "--suite", "trixie"]),
            Ok((vec!["trixie"], true))
        );
        assert!(options(&["--suite"]).is_err());
        assert!(options(&["--suite", "potato"]).is_err());
    }
}
