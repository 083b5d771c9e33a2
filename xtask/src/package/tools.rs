//! The programs that make packages, built under target/ where they are not there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{build, process, toolchain};

/// The program `name` in `version`.
///
/// # Errors
/// A sentence, when it cannot be had.
pub fn ensure(root: &Path, name: &str, version: &str) -> Result<PathBuf, String> {
    let folder = build::target_directory(root).join("tools");
    let program = folder.join("bin").join(name);
    let is_it = process::read(Command::new(&program).arg("--version"))
        .is_ok_and(|text| text.split_whitespace().any(|word| word == version));
    if !is_it {
        eprintln!("package: building {name} {version} into {}", folder.display());
        process::run(
            Command::new(toolchain::running_cargo())
                .args([
                    "install",
                    name,
                    "--version",
                    version,
                    "--locked",
                    "--quiet",
                    "--root",
                ])
                .arg(&folder)
                .current_dir(root),
        )?;
    }
    Ok(program)
}
