//! The test programs that go into a machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::toolchain;

/// Programs that cargo built, by kind and name.
pub struct Built {
    /// Test programs.
    pub tests: Vec<(String, PathBuf)>,
    /// Other programs of the tests' package.
    pub programs: Vec<(String, PathBuf)>,
}

/// Builds the tests and their programs.
///
/// # Errors
/// A sentence, when they do not compile.
pub fn build_tests(root: &Path) -> Result<Built, String> {
    let output = Command::new(toolchain::running_cargo())
        .args([
            "test",
            "--quiet",
            "--package",
            "scopeward-tests",
            "--test",
            "kernel",
            "--test",
            "evasion",
        ])
        .args(["--no-run", "--message-format", "json-render-diagnostics"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the tests do not compile: {}", output.status));
    }
    let mut built = Built {
        tests: Vec::new(),
        programs: Vec::new(),
    };
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        let Some(path) = message["executable"].as_str() else {
            continue;
        };
        let name = message["target"]["name"].as_str().unwrap_or_default().to_owned();
        let is_test = message["profile"]["test"] == true;
        let list = if is_test {
            &mut built.tests
        } else {
            &mut built.programs
        };
        list.push((name, PathBuf::from(path)));
    }
    built.tests.sort_by(|one, other| other.0.cmp(&one.0));
    Ok(built)
}
