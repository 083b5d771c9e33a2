//! Debian packages, unpacked into a folder of ours: nothing is installed on the host.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// One test at a time fetches packages.
static FETCHING: Mutex<()> = Mutex::new(());

/// The folder with `packages` and what they need beyond this host, unpacked; kept for the next time.
///
/// # Errors
/// Why they cannot be had.
pub fn unpacked(packages: &[&str]) -> Result<PathBuf, String> {
    let _one = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = scopeward_tests::programs::target_directory()
        .join("siem")
        .join(packages[0]);
    let root = folder.join("root");
    if folder.join("complete").exists() {
        return Ok(root);
    }
    drop(std::fs::remove_dir_all(&folder));
    let make = |path: &Path| {
        std::fs::create_dir_all(path).map_err(|error| format!("cannot make {}: {error}", path.display()))
    };
    make(&folder.join("archives/partial"))?;
    make(&root)?;
    run(Command::new("apt-get")
        .env("LC_ALL", "C")
        .args([
            "-q",
            "-y",
            "-o",
            "Debug::NoLocking=1",
            "-o",
            "APT::Sandbox::User=root",
            "-o",
        ])
        .arg(format!("Dir::Cache={}", folder.display()))
        .args([
            "--no-install-recommends",
            "--download-only",
            "--reinstall",
            "install",
        ])
        .args(packages))?;
    let archives = std::fs::read_dir(folder.join("archives")).map_err(|error| error.to_string())?;
    for archive in archives.flatten().map(|entry| entry.path()) {
        if archive.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("-x").arg(archive).arg(&root))?;
        }
    }
    std::fs::write(folder.join("complete"), "").map_err(|error| error.to_string())?;
    Ok(root)
}

/// As [`unpacked`]; says `skipped` where they cannot be had.
pub fn or_skip(packages: &[&str]) -> Option<PathBuf> {
    match unpacked(packages) {
        Ok(root) => Some(root),
        Err(why) => {
            let test = scopeward_tests::requirement::test_name();
            scopeward_tests::requirement::say_skipped(
                &test,
                &format!("no {} from Debian: {why}", packages.join(" ")),
            );
            None
        }
    }
}

/// Where the libraries of an unpacked folder are.
pub fn libraries(root: &Path) -> PathBuf {
    root.join("usr/lib/x86_64-linux-gnu")
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().last().unwrap_or("it failed").to_owned())
}
