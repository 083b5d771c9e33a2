//! `cargo xtask ci`: what a change must pass, cheapest first; all of it runs, whatever fails.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::{arrows, deny, portability, process, shape, test, toolchain};

/// How a check ended.
pub enum Outcome {
    /// It found nothing wrong.
    Passed,
    /// It cannot run here, for this reason.
    Skipped(String),
}

/// A check: the root of the checkout → how it ended, or what is wrong.
type Check = fn(&Path) -> Result<Outcome, String>;

const CHECKS: [(&str, Check); 9] = [
    ("format", format),
    ("order of the stages", |root| found(&arrows::breaches(root)?)),
    ("length and names of files", |root| found(&shape::breaches(root)?)),
    ("lints", lints),
    ("lints of the kernel programs", kernel_lints),
    (
        "licences, bans and sources of dependencies",
        deny::licences_bans_sources,
    ),
    ("advisories on dependencies", deny::advisories),
    ("kernels by their types", portability::check::outcome),
    ("tests", |root| test::run(root).map(|()| Outcome::Passed)),
];

/// Runs every check in the checkout at `root`.
///
/// # Errors
/// A sentence naming the checks that failed.
pub fn run(root: &Path) -> Result<(), String> {
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let mut skipped = 0;
    for (name, check) in CHECKS {
        eprintln!("ci: {name}");
        let began = Instant::now();
        let result = match check(root) {
            Ok(Outcome::Passed) => "passed".to_owned(),
            Ok(Outcome::Skipped(why)) => {
                skipped += 1;
                format!("skipped: {why}")
            }
            Err(why) => {
                failed.push(name);
                format!("FAILED: {why}")
            }
        };
        lines.push(format!("{:>5} s  {name}: {result}", began.elapsed().as_secs()));
    }
    println!("{}", lines.join("\n"));
    println!(
        "ci: {} passed, {} failed, {skipped} skipped",
        CHECKS.len() - failed.len() - skipped,
        failed.len()
    );
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    }
}

fn format(root: &Path) -> Result<Outcome, String> {
    component("rustfmt", "cargo-fmt")?;
    process::run(cargo(root).args(["fmt", "--all", "--check"]))?;
    process::run(
        cargo(root)
            .args(["fmt", "--check"])
            .current_dir(root.join("monitor-ebpf")),
    )?;
    Ok(Outcome::Passed)
}

fn lints(root: &Path) -> Result<Outcome, String> {
    component("clippy", "cargo-clippy")?;
    process::run(cargo(root).args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Outcome::Passed)
}

fn kernel_lints(root: &Path) -> Result<Outcome, String> {
    let Some(toolchain) = toolchain::find(root) else {
        return Ok(Outcome::Skipped(
            "the object was built elsewhere, and there is no compiler for it here".to_owned(),
        ));
    };
    let driver = toolchain.rustc().with_file_name("clippy-driver");
    if !driver.is_file() {
        return Ok(Outcome::Skipped(format!("there is no {}", driver.display())));
    }
    // What `cargo clippy` does; itself it would take the driver of the toolchain that runs us.
    let mut check = toolchain.cargo(root, "check");
    check
        .arg("--quiet")
        .env("RUSTC_WORKSPACE_WRAPPER", driver)
        .env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
    process::run(&mut check)?;
    Ok(Outcome::Passed)
}

fn found(breaches: &[String]) -> Result<Outcome, String> {
    if breaches.is_empty() {
        Ok(Outcome::Passed)
    } else {
        Err(format!("\n         {}", breaches.join("\n         ")))
    }
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(toolchain::running_cargo());
    cargo.current_dir(root);
    cargo
}

/// A minimal rustup installation has neither rustfmt nor clippy.
fn component(name: &str, program: &str) -> Result<(), String> {
    let beside = toolchain::running_cargo().with_file_name(program);
    if beside.is_file()
        || process::find_program(program).is_some_and(|_| process::find_program("rustup").is_none())
    {
        return Ok(());
    }
    eprintln!("ci: adding {name} to this Rust toolchain, which has none");
    process::run(Command::new("rustup").args(["component", "add", name]))
}
