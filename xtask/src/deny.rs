//! cargo-deny: licences, bans, sources and advisories of what both lock files name.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ci::Outcome;
use crate::{process, toolchain};

const VERSION: &str = "0.20.2";

/// Holds both lock files to deny.toml, but for advisories.
///
/// # Errors
/// A sentence, when a dependency breaks a rule or cargo-deny cannot be installed.
pub fn licences_bans_sources(root: &Path) -> Result<Outcome, String> {
    check(root, &["licenses", "bans", "sources"])
}

/// Looks both lock files up in the advisory database, where that can be had.
///
/// # Errors
/// A sentence, when an advisory applies or cargo-deny cannot be installed.
pub fn advisories(root: &Path) -> Result<Outcome, String> {
    let deny = installed(root)?;
    // Where its host cannot be reached the attempt would last for minutes.
    let mut fetch = Command::new("timeout");
    fetch.arg("60").arg(deny).args(["fetch", "db"]).current_dir(root);
    if let Err(why) = process::read(&mut fetch) {
        let why = why.lines().last().unwrap_or_default().to_owned();
        return Ok(Outcome::Skipped(format!(
            "the advisory database cannot be fetched: {why}"
        )));
    }
    check(root, &["advisories"])
}

fn check(root: &Path, what: &[&str]) -> Result<Outcome, String> {
    let deny = installed(root)?;
    for manifest in ["Cargo.toml", "monitor-ebpf/Cargo.toml"] {
        let mut command = Command::new(&deny);
        command.args([
            "--log-level",
            "warn",
            "--config",
            "deny.toml",
            "--manifest-path",
            manifest,
            "check",
        ]);
        process::run(command.args(what).current_dir(root))?;
    }
    Ok(Outcome::Passed)
}

fn installed(root: &Path) -> Result<PathBuf, String> {
    let tools = root.join("target/tools");
    let program = tools.join("bin/cargo-deny");
    if !program.is_file() {
        eprintln!(
            "ci: compiling cargo-deny {VERSION} into {} (some minutes, once)",
            tools.display()
        );
        let mut cargo = Command::new(toolchain::running_cargo());
        toolchain::forget_outer_cargo(&mut cargo);
        cargo.args([
            "install",
            "--quiet",
            "--locked",
            "cargo-deny",
            "--version",
            VERSION,
            "--root",
        ]);
        process::run(cargo.arg(&tools))?;
    }
    Ok(program)
}
