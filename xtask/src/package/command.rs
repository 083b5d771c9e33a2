//! The command: build, lay out, pack; and with `--twice` the same again from nothing, to compare.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{archives, program, tools, tree};
use crate::{build, process};

/// `cargo xtask package` with these words.
///
/// # Errors
/// A sentence, when something cannot be built, or two builds differ.
pub fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let twice = match words {
        [] => false,
        ["--twice"] => true,
        _ => return Err("package knows `--twice` alone".to_owned()),
    };
    let folder = folder(root);
    let made = if twice {
        from_nothing(root, &folder.join("build"))?
    } else {
        make(root, &folder.join("build"))?
    };
    let first = sums(&made)?;
    if twice {
        keep(&made, &folder.join("first"))?;
        let second = sums(&from_nothing(root, &folder.join("build-again"))?)?;
        if first != second {
            return Err(format!(
                "two builds of one checkout differ:\n{}\n{}\nThe packages of the first are in {}",
                first.join("\n"),
                second.join("\n"),
                folder.join("first").display()
            ));
        }
        println!("package: two builds, each from nothing, gave the same bytes");
    }
    println!("{}", first.join("\n"));
    Ok(())
}

/// The Debian package with `version` in place of the checkout's own, for tests of an upgrade.
///
/// # Errors
/// A sentence, when it cannot be built.
pub fn deb(root: &Path, version: &str) -> Result<PathBuf, String> {
    let folder = folder(root);
    let program = program::build(root, &folder.join("build"))?;
    tree::lay(root, &program, &folder.join("tree"))?;
    archives::deb(root, &tools::ensure(root, "cargo-deb", "3.8.0")?, Some(version))
}

/// Where everything of packages is kept.
fn folder(root: &Path) -> PathBuf {
    build::target_directory(root).join("package")
}

fn make(root: &Path, target: &Path) -> Result<Vec<PathBuf>, String> {
    let (program, alone) = (
        program::build(root, target)?,
        program::build_static(root, target)?,
    );
    let tree = folder(root).join("tree");
    tree::lay(root, &program, &tree)?;
    let deb = archives::deb(root, &tools::ensure(root, "cargo-deb", "3.8.0")?, None)?;
    let rpm = archives::rpm(root, &tools::ensure(root, "cargo-generate-rpm", "0.21.1")?, &tree)?;
    let tree = folder(root).join("tree-static");
    tree::lay(root, &alone, &tree)?;
    Ok(vec![deb, rpm, archives::tar(root, &tree)?])
}

/// As [`make`], with nothing there that an earlier build left, of the kernel's programs either.
fn from_nothing(root: &Path, target: &Path) -> Result<Vec<PathBuf>, String> {
    for old in [target, &root.join("target/ebpf")] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(|error| format!("cannot remove {}: {error}", old.display()))?;
        }
    }
    make(root, target)
}

/// Copies `files` into `folder`, to be looked at where the second ones differ.
fn keep(files: &[PathBuf], folder: &Path) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("cannot copy into {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(cannot)?;
    for file in files {
        let name = file.file_name().unwrap_or(file.as_os_str());
        fs::copy(file, folder.join(name)).map_err(cannot)?;
    }
    Ok(())
}

fn sums(files: &[PathBuf]) -> Result<Vec<String>, String> {
    let listed = process::read(Command::new("sha256sum").args(files))?;
    Ok(listed.lines().map(str::to_owned).collect())
}
