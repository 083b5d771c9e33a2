//! The workload program, `tests/src/bin/load.rs`, and what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::stage::Stage;
use crate::{build, process, toolchain};

/// Nanoseconds of each act.
pub type Acts = BTreeMap<String, f64>;

/// The built workload program.
pub struct Load {
    program: PathBuf,
}

impl Load {
    /// Builds it, as fast as it can be.
    ///
    /// # Errors
    /// A sentence, when it does not compile.
    pub fn build(root: &Path) -> Result<Self, String> {
        let mut cargo = Command::new(toolchain::running_cargo());
        cargo.args(["build", "--release", "--quiet", "--package", "scopeward-tests"]);
        process::run(cargo.args(["--bin", "load"]).current_dir(root))?;
        Ok(Self {
            program: build::target_directory(root).join("release/load"),
        })
    }

    /// It, outside sessions, without its order.
    pub fn outside(&self) -> Command {
        Command::new(&self.program)
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Writes the smallest program into `stage`, and gives its path.
    ///
    /// # Errors
    /// A sentence, when it cannot.
    pub fn tiny(&self, stage: &Stage) -> Result<PathBuf, String> {
        let path = stage.path("files/tiny");
        process::run(self.outside().arg("tiny").arg(&path))?;
        Ok(path)
    }
}

/// What follows `word` in the lines of `text` that begin with it, as numbers.
///
/// # Errors
/// A sentence with the line, where something else follows; another one where there is no such line.
pub fn numbers(text: &str, word: &str) -> Result<Vec<Vec<u64>>, String> {
    let lines: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
        .collect();
    if lines.is_empty() {
        return Err(format!("the workload said nothing of `{word}`: {text}"));
    }
    let parse = |line: &&str| {
        let numbers: Result<Vec<u64>, _> = line.split(' ').map(str::parse).collect();
        numbers.map_err(|error| format!("the workload said `{word} {line}`: {error}"))
    };
    lines.iter().map(parse).collect()
}

/// The nanoseconds in the lines `act NAME NANOSECONDS COUNT` of `text`.
///
/// # Errors
/// A sentence with the line that is none.
pub fn acts(text: &str) -> Result<Acts, String> {
    let mut acts = Acts::new();
    for line in text.lines() {
        let parsed = line.strip_prefix("act ").and_then(|rest| {
            let (name, rest) = rest.split_once(' ')?;
            let nanos: f64 = rest.split(' ').next()?.parse().ok()?;
            (nanos > 0.0).then(|| (name.to_owned(), nanos))
        });
        let (name, nanos) = parsed.ok_or_else(|| format!("the workload said `{line}`"))?;
        acts.insert(name, nanos);
    }
    Ok(acts)
}

#[cfg(test)]
mod tests {
    use super::{acts, numbers};

    #[test]
    fn its_lines_are_read() {
        assert_eq!(
            numbers("death 5\nsurvived 0\ndeath 7\n", "death").unwrap(),
            [[5], [7]]
        );
        assert!(numbers("x", "death").is_err() && numbers("death x", "death").is_err());
        assert_eq!(acts("act a 1.5 3\nact b 2 9\n").unwrap()["a"], 1.5);
        assert!(acts("act a zero 3").is_err());
    }
}
