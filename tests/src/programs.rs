//! Where the programs under test are.

use std::path::PathBuf;

/// The directory that Cargo puts programs into, found from the running test's own place (`…/deps/NAME`).
fn beside_tests(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let path = test.parent()?.parent()?.join(name);
    path.exists().then_some(path)
}

/// The `scopeward` program: `SCOPEWARD_BIN`, else the one that Cargo built beside the tests.
#[must_use]
pub fn scopeward() -> Option<PathBuf> {
    match std::env::var_os("SCOPEWARD_BIN") {
        Some(path) => Some(PathBuf::from(path)),
        None => beside_tests("scopeward"),
    }
}

/// The attack program that Cargo built beside the tests.
///
/// # Panics
/// Where it was not built, which `cargo test` always does.
#[must_use]
pub fn attack() -> PathBuf {
    beside_tests("attack").expect("cargo builds the attack program with the tests")
}

/// The workspace's `target` directory, for reports.
///
/// # Panics
/// Where the test does not run from it.
#[must_use]
pub fn target_directory() -> PathBuf {
    let attack = attack();
    attack
        .ancestors()
        .nth(2)
        .expect("programs lie in target/PROFILE")
        .to_owned()
}

/// How many trials each technique gets: `SCOPEWARD_TRIALS`, else 50.
#[must_use]
pub fn trials() -> usize {
    std::env::var("SCOPEWARD_TRIALS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(50)
}
