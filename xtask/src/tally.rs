//! Adding up what test programs say, and telling the tests that cannot run from those that passed.

/// What all test programs of a run said together.
#[derive(Debug, Default)]
pub struct Tally {
    /// As the test programs count: with those that only said that they cannot run.
    green: usize,
    failed: usize,
    /// The tests behind `green`, by their names.
    names: Vec<String>,
    /// Each with its reason: `name: why`.
    skipped: Vec<String>,
    /// The test whose captured output is being read.
    reading: Option<String>,
    /// Whether the lines now are those of tests that passed: kept from the screen.
    quiet: bool,
}

impl Tally {
    /// Takes one line of a test program's standard output; says whether a person wants to see it.
    pub fn read_output(&mut self, line: &str) -> bool {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.quiet = false;
            self.reading = None;
            let (passed, failed) = (count(result, " passed"), count(result, " failed"));
            self.green += passed;
            self.failed += failed;
            return passed + failed > 0;
        }
        if let Some((name, end)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
        {
            if let Some(reason) = end.strip_prefix("ignored") {
                let reason = reason.trim_start_matches([',', ' ']);
                let reason = if reason.is_empty() {
                    "marked #[ignore]"
                } else {
                    reason
                };
                self.skipped.push(format!("{name}: {reason}"));
                return false;
            }
            self.names.push(name.to_owned());
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
            self.read_captured(line);
            return false;
        }
        !matches!(line, "" | "running 0 tests")
    }

    /// Takes one line of standard error, where a test may say `skipped: NAME: WHY` past the capture; says
    /// whether a person wants to see it now.
    pub fn read_errors(&mut self, line: &str) -> bool {
        let reason = line.strip_prefix("skipped: ");
        self.skipped.extend(reason.map(str::to_owned));
        reason.is_none()
    }

    /// Tests that ran, and found nothing wrong.
    pub fn passed(&self) -> usize {
        let unable = |name: &&String| self.skipped.iter().any(|skipped| is_about(skipped, name));
        self.green - self.names.iter().filter(unable).count().min(self.green)
    }

    /// Tests that ran, and found something wrong.
    pub const fn failed(&self) -> usize {
        self.failed
    }

    /// What could not run, each with its reason: whole tests, or parts that a test tells apart.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// A test that cannot run passes, having printed `skipped: why`; it is counted as what it is.
    fn read_captured(&mut self, line: &str) {
        if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            self.reading = Some(name.to_owned());
        } else if let Some(reason) = line.strip_prefix("skipped: ")
            && let Some(name) = self.reading.take()
        {
            self.skipped.push(format!("{name}: {reason}"));
        }
    }
}

fn is_about(skipped: &str, name: &str) -> bool {
    skipped
        .strip_prefix(name)
        .is_some_and(|rest| rest.starts_with(": "))
}

/// The number before `word` in a line like `ok. 3 passed; 0 failed; …`.
fn count(result: &str, word: &str) -> usize {
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
running 5 tests
test a ... ok
test b ... ok
test e::past_capture ... ok
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

test result: FAILED. 3 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn skipped_tests_are_counted_once_and_not_as_passed() {
        let mut tally = Tally::default();
        assert!(!tally.read_errors("skipped: e::past_capture: no BPF"));
        assert!(!tally.read_errors("skipped: a part of e: no MPTCP"));
        assert!(tally.read_errors("warning: unused"));
        let shown: Vec<&str> = OUTPUT.lines().filter(|line| tally.read_output(line)).collect();
        assert_eq!((tally.passed(), tally.failed()), (1, 1));
        let skipped = [
            "e::past_capture: no BPF",
            "a part of e: no MPTCP",
            "c: needs an hour",
            "a: no root",
        ];
        assert_eq!(tally.skipped(), skipped);
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
