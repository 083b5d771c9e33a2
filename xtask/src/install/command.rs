//! The command: two packages, one system, and what the system said.

use std::path::Path;

use super::{image, machine};
use crate::{build, package};

/// Versions of the two packages: of one checkout, so that only the upgrade itself is tried.
const VERSIONS: [&str; 2] = ["0.1.0-1", "0.1.0-2"];

/// Makes the packages and the system, and runs the test there.
///
/// # Errors
/// A sentence naming the steps that failed, or why there was no test.
pub fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    if !words.is_empty() {
        return Err("install-test takes no options".to_owned());
    }
    let folder = build::target_directory(root).join("install-test");
    let [old, new] = VERSIONS;
    let (old, new) = (package::deb(root, old)?, package::deb(root, new)?);
    let system = image::make(root, &folder, &old, &new)?;
    let said = machine::run(root, &folder, &system)?;
    print!("{}", said.results);
    println!("install-test: {} s in the machine", said.took.as_secs());
    judge(&said.results)
}

/// What the lines of the results come to.
fn judge(results: &str) -> Result<(), String> {
    let failed: Vec<&str> = results
        .lines()
        .filter_map(|line| line.strip_prefix("FAILED ")?.split(':').next())
        .collect();
    let ended = results.lines().any(|line| line == "end");
    match (ended, failed.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => Err(format!("failed in the machine: {}", failed.join(", "))),
        (false, _) => {
            Err("the machine did not come to the end of the test; its console is beside its disk".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn only_a_whole_run_without_a_failure_passes() {
        assert!(judge("ok boot 3.0\nok purged 1.0\nend\n").is_ok());
        assert!(judge("ok boot 3.0\nok purged 1.0\n").is_err());
        let error = judge("ok boot 3.0\nFAILED upgrade: no: room\nend\n").unwrap_err();
        assert!(error.contains("upgrade") && !error.contains("room"), "{error}");
    }
}
