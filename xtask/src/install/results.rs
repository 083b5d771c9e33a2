//! What the machines said, as a table of steps and times.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Where the table stands in the file that keeps it.
const MARKS: [&str; 2] = [
    "<!-- times: cargo xtask install-test --keep -->\n",
    "<!-- end of times -->\n",
];

/// One machine's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The release of Debian.
    suite: String,
    /// Each step, and how it went: its seconds, or `failed`.
    steps: Vec<(String, String)>,
    /// Whether the test came to its end.
    ended: bool,
    /// How long the machine ran.
    took: Duration,
}

impl Run {
    /// What the lines of `results` come to.
    pub fn of(suite: &str, results: &str, took: Duration) -> Self {
        let step = |line: &str| {
            if let Some(rest) = line.strip_prefix("ok ") {
                let (name, seconds) = rest.split_once(' ')?;
                return Some((name.to_owned(), seconds.to_owned()));
            }
            let (name, _) = line.strip_prefix("FAILED ")?.split_once(':')?;
            Some((name.to_owned(), "failed".to_owned()))
        };
        Self {
            suite: suite.to_owned(),
            steps: results.lines().filter_map(step).collect(),
            ended: results.lines().any(|line| line == "end"),
            took,
        }
    }

    /// Whether all of it went as it should.
    ///
    /// # Errors
    /// A sentence naming the steps that failed.
    pub fn judge(&self) -> Result<(), String> {
        let failed: Vec<&str> = self
            .steps
            .iter()
            .filter(|(_, how)| how == "failed")
            .map(|(name, _)| name.as_str())
            .collect();
        match (self.ended, failed.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err(format!("failed on {}: {}", self.suite, failed.join(", "))),
            (false, _) => Err(format!(
                "{} did not come to the end of the test; its console is beside its disk",
                self.suite
            )),
        }
    }

    fn how(&self, step: &str) -> &str {
        let found = self.steps.iter().find(|(name, _)| name == step);
        found.map_or("", |(_, how)| how)
    }
}

/// The steps of all `runs` as a table in Markdown.
pub fn table(runs: &[Run]) -> String {
    let mut text = String::from("| step (s) |");
    let mut rule = String::from("|---|");
    for run in runs {
        write!(text, " {} |", run.suite).ok();
        rule.push_str("---|");
    }
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|run| &run.steps) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    write!(text, "\n{rule}\n").ok();
    let mut line = |name: &str, how: &mut dyn FnMut(&Run) -> String| {
        let cells: Vec<String> = runs.iter().map(&mut *how).collect();
        writeln!(text, "| {name} | {} |", cells.join(" | ")).ok();
    };
    for name in names {
        line(name, &mut |run| run.how(name).to_owned());
    }
    line("**all**", &mut |run| run.took.as_secs().to_string());
    text
}

/// Puts `table` into `file`, in the place of the last one.
///
/// # Errors
/// A sentence, where the file has no such place.
pub fn keep(file: &Path, table: &str) -> Result<(), String> {
    let text =
        fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let [begin, end] = MARKS;
    let without = format!(
        "{} has no place for the table between `{begin}` and `{end}`",
        file.display()
    );
    let (before, rest) = text.split_once(begin).ok_or_else(|| without.clone())?;
    let (_, after) = rest.split_once(end).ok_or(without)?;
    fs::write(file, [before, begin, table, end, after].concat())
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Run, keep, table};

    fn run(results: &str) -> Run {
        Run::of("bookworm", results, Duration::from_secs(61))
    }

    #[test]
    fn only_a_whole_run_without_a_failure_passes() {
        assert!(run("ok boot 3.0\nok purged 1.0\nend\n").judge().is_ok());
        assert!(run("ok boot 3.0\nok purged 1.0\n").judge().is_err());
        let error = run("ok boot 3.0\nFAILED upgrade: no: room\nend\n")
            .judge()
            .unwrap_err();
        assert!(error.contains("upgrade") && !error.contains("room"), "{error}");
    }

    #[test]
    fn the_table_has_every_step_of_every_run() {
        let other = Run::of(
            "trixie",
            "ok boot 2.0\nFAILED remove: why\nend\n",
            Duration::from_secs(9),
        );
        assert_eq!(
            table(&[run("ok boot 3.0\nok purged 1.0\nend\n"), other]),
            "| step (s) | bookworm | trixie |\n|---|---|---|\n| boot | 3.0 | 2.0 |\n| purged | 1.0 |  |\n\
             | remove |  | failed |\n| **all** | 61 | 9 |\n"
        );
    }

    #[test]
    fn the_table_takes_the_place_of_the_last() {
        let file = std::env::temp_dir().join(format!("install-times-{}", std::process::id()));
        let [begin, end] = super::MARKS;
        std::fs::write(&file, format!("a\n{begin}old\n{end}b\n")).unwrap();
        keep(&file, "new\n").unwrap();
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            format!("a\n{begin}new\n{end}b\n")
        );
        std::fs::write(&file, "nothing\n").unwrap();
        assert!(keep(&file, "new\n").is_err());
        std::fs::remove_file(&file).unwrap();
    }
}
