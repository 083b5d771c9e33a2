//! `cargo xtask build`: the release binary with the kernel programs inside.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{process, toolchain};

/// Environment variable: a `scopeward` built elsewhere, to demonstrate or test; nothing is built then. The
/// end-to-end tests find the binary by it too.
pub const BINARY_ENV: &str = "SCOPEWARD_BIN";

/// Builds the kernel programs, where their warnings show, then the release binary; gives its path.
///
/// # Errors
/// A sentence, when one of the two does not compile.
pub fn release(root: &Path) -> Result<PathBuf, String> {
    if let Some(binary) = env::var_os(BINARY_ENV) {
        return Ok(root.join(binary));
    }
    if env::var_os(toolchain::OBJECT_ENV).is_none() {
        let toolchain = toolchain::find(root).ok_or(toolchain::MISSING)?;
        process::run(&mut toolchain.cargo(root, "build"))?;
        eprintln!(
            "build: {} by {}",
            toolchain::object(root).display(),
            toolchain.rustc().display()
        );
    }
    let mut cargo = Command::new(toolchain::running_cargo());
    process::run(
        cargo
            .args(["build", "--release", "--package", "scopeward"])
            .current_dir(root),
    )?;
    Ok(target_directory(root).join("release/scopeward"))
}

/// Where cargo leaves what it builds for the checkout at `root`.
pub fn target_directory(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
