//! `cargo xtask test`: every test there is, and one line that sums them up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{build, toolchain};

/// The binary under test, for the end-to-end tests.
const BINARY_ENV: &str = "SCOPEWARD_BIN";

/// What all test programs of a run said together.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As the test programs count: with those that only said that they cannot run.
    green: u64,
    unable: u64,
    failed: u64,
    /// Each with its reason: `name: why`.
    skipped: Vec<String>,
    /// The test whose captured output is being read.
    reading: Option<String>,
    /// Whether the lines now are those of tests that passed: kept from the screen.
    quiet: bool,
}

/// Builds the release binary, runs all tests, prints `N passed, N failed, N skipped` as the last line.
///
/// # Errors
/// A sentence, when a test failed or something did not compile.
pub fn run(root: &Path) -> Result<(), String> {
    let binary = build::release(root)?;
    let mut cargo = Command::new(toolchain::running_cargo());
    cargo
        // Captured output of tests that pass is wanted too: there they say that they were skipped.
        .args(["test", "--workspace", "--no-fail-fast", "--", "--show-output"])
        .current_dir(root)
        .env(BINARY_ENV, binary)
        .env("INSTA_UPDATE", "no")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = cargo
        .spawn()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(|error| format!("cannot read what the tests say: {error}"))?;
            let line = String::from_utf8_lossy(&line);
            if tally.read(&line) {
                println!("{line}");
            }
        }
    }
    let status = child
        .wait()
        .map_err(|error| format!("cannot wait for cargo: {error}"))?;
    for reason in &tally.skipped {
        println!("skipped: {reason}");
    }
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed(),
        tally.failed,
        tally.skipped.len()
    );
    match (status.success(), tally.failed) {
        (true, 0) => Ok(()),
        (_, 0) => Err(format!("cargo test ended with {status}")),
        (_, failed) => Err(format!("{failed} tests failed")),
    }
}

impl Tally {
    /// Takes one line of a test program's output; says whether a person wants to see it.
    fn read(&mut self, line: &str) -> bool {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.quiet = false;
            self.reading = None;
            let (passed, failed) = (count(result, " passed"), count(result, " failed"));
            self.green += passed;
            self.failed += failed;
            return passed + failed > 0;
        }
        if let Some((name, reason)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... ignored"))
        {
            let reason = reason.trim_start_matches([',', ' ']);
            self.skipped.push(format!(
                "{name}: {}",
                if reason.is_empty() {
                    "marked #[ignore]"
                } else {
                    reason
                }
            ));
            return false;
        }
        match line {
            "successes:" => self.quiet = true,
            "failures:" => {
                self.quiet = false;
                self.reading = None;
            }
            _ => {}
        }
        if self.quiet {
            self.read_quiet(line);
            return false;
        }
        !matches!(line, "" | "running 0 tests")
    }

    fn passed(&self) -> u64 {
        self.green.saturating_sub(self.unable)
    }

    /// A test that cannot run passes, having printed `skipped: why`; it is counted as what it is.
    fn read_quiet(&mut self, line: &str) {
        if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            self.reading = Some(name.to_owned());
        } else if let Some(reason) = line.strip_prefix("skipped: ")
            && let Some(name) = self.reading.take()
        {
            self.skipped.push(format!("{name}: {reason}"));
            self.unable += 1;
        }
    }
}

/// The number before `word` in a line like `ok. 3 passed; 0 failed; …`.
fn count(result: &str, word: &str) -> u64 {
    let before = result.split_once(word).map_or("", |(before, _)| before);
    before
        .rsplit(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    const OUTPUT: &str = "\
running 4 tests
test a ... ok
test b ... ok
test c ... ignored, needs an hour
test d ... FAILED

successes:

---- a stdout ----
skipped: no root
skipped: said twice

---- b stdout ----
all is well

successes:
    a
    b

failures:

---- d stdout ----
skipped: is only text in a test that failed
boom

failures:
    d

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn skipped_tests_are_counted_once_and_not_as_passed() {
        let mut tally = Tally::default();
        let shown: Vec<&str> = OUTPUT.lines().filter(|line| tally.read(line)).collect();
        assert_eq!((tally.passed(), tally.failed), (1, 1));
        assert_eq!(tally.skipped, ["c: needs an hour", "a: no root"]);
        assert!(
            shown.contains(&"boom"),
            "what a failed test said is shown: {shown:?}"
        );
        assert!(
            !shown.contains(&"all is well"),
            "what a passed test said is not: {shown:?}"
        );
    }
}
