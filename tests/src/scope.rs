//! Scope files that tests hold sessions to.

use std::path::PathBuf;

/// What every scope of the tests begins with. It matches no program, so that only what `scopeward run` starts is a session.
const HEAD: &str = "name = \"attacked\"\n[[match]]\nexe = \"/nonexistent/agent\"\n";

fn quoted(words: impl Iterator<Item = String>) -> String {
    words
        .map(|word| format!("{word:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A scope that answers the use of each of `paths` with `response`, and allows everything else.
#[must_use]
pub fn guarding(paths: &[PathBuf], response: &str) -> String {
    let paths = quoted(paths.iter().map(|path| path.display().to_string()));
    format!(
        "{HEAD}[network]\ndefault = \"allow\"\n[files]\ndefault = \"allow\"\n[[files.rule]]\npaths = [{paths}]\n\
         response = \"{response}\"\nweight = 1\nreason = \"guarded by the test\"\n"
    )
}

/// A scope that allows the network only to `endpoints`, and everything else.
#[must_use]
pub fn reaching(endpoints: &[String]) -> String {
    let endpoints = quoted(endpoints.iter().cloned());
    format!("{HEAD}[network]\ndefault = \"deny\"\nallow = [{endpoints}]\n[files]\ndefault = \"allow\"\n")
}

/// A scope with these tables after its head.
#[must_use]
pub fn with(tables: &str) -> String {
    format!("{HEAD}{tables}\n")
}
