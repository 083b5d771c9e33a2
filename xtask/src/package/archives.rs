//! From the tree to a Debian package, an RPM and an archive.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program;
use crate::{build, process};

/// The Debian package, by cargo-deb.
///
/// # Errors
/// Its own words.
pub fn deb(root: &Path, tool: &Path, version: Option<&str>) -> Result<PathBuf, String> {
    let to = packages(root)?;
    let mut command = Command::new(tool);
    command
        .args([
            "--no-build",
            "--no-strip",
            "--quiet",
            "--package",
            "scopeward",
            "--output",
        ])
        .arg(&to)
        .current_dir(root)
        .env("SOURCE_DATE_EPOCH", program::moment(root)?);
    if let Some(version) = version {
        command.args(["--deb-version", version]);
    }
    process::run(&mut command)?;
    let version = version.map_or_else(|| format!("{}-1", own_version()), str::to_owned);
    found(to.join(format!(
        "scopeward_{version}_{}.deb",
        architecture("amd64", "arm64")
    )))
}

/// The RPM, by cargo-generate-rpm: it wants each file named.
///
/// # Errors
/// Its own words.
pub fn rpm(root: &Path, tool: &Path, tree: &Path) -> Result<PathBuf, String> {
    let to = packages(root)?;
    let mut assets = Vec::new();
    for (from, place) in files(tree)? {
        let (mode, config) = match place.as_str() {
            "usr/bin/scopeward" => ("755", false),
            other => ("644", other.starts_with("etc/")),
        };
        let from = from.display();
        let config = if config { ", config = \"noreplace\"" } else { "" };
        assets.push(format!(
            "{{ source = \"{from}\", dest = \"/{place}\", mode = \"{mode}\"{config} }}"
        ));
    }
    let file = to.join(format!(
        "scopeward-{}-1.{}.rpm",
        own_version(),
        architecture("x86_64", "aarch64")
    ));
    process::run(
        Command::new(tool)
            .args(["--package", "monitor", "--source-date"])
            .arg(program::moment(root)?)
            .arg("--set-metadata")
            .arg(format!("assets = [{}]", assets.join(", ")))
            .arg("--output")
            .arg(&file)
            .current_dir(root),
    )?;
    found(file)
}

/// The archive: `tar -C / -xzf` installs it.
///
/// # Errors
/// tar's own words.
pub fn tar(root: &Path, tree: &Path) -> Result<PathBuf, String> {
    let name = format!(
        "scopeward-{}-{}-linux-musl.tar",
        own_version(),
        std::env::consts::ARCH
    );
    let file = packages(root)?.join(name);
    process::run(
        Command::new("tar")
            .args([
                "--sort=name",
                "--owner=0",
                "--group=0",
                "--numeric-owner",
                "--format=ustar",
            ])
            .arg(format!("--mtime=@{}", program::moment(root)?))
            .arg("-cf")
            .arg(&file)
            .arg("-C")
            .arg(tree)
            .args(["etc", "usr"]),
    )?;
    process::run(Command::new("gzip").args(["-9nf"]).arg(&file))?;
    found(file.with_extension("tar.gz"))
}

/// Where the packages go.
fn packages(root: &Path) -> Result<PathBuf, String> {
    let folder = build::target_directory(root).join("package/out");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    Ok(folder)
}

fn found(file: PathBuf) -> Result<PathBuf, String> {
    if file.is_file() {
        Ok(file)
    } else {
        Err(format!("{} was not made", file.display()))
    }
}

/// Every file of the tree, with its place, in the order of their names.
fn files(tree: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    let mut found = Vec::new();
    let mut folders = vec![tree.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(place) = path.strip_prefix(tree) {
                found.push((path.clone(), place.display().to_string()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The version of every package of this checkout.
const fn own_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn architecture(amd64: &'static str, arm64: &'static str) -> &'static str {
    if std::env::consts::ARCH == "aarch64" {
        arm64
    } else {
        amd64
    }
}
