//! The release binary, without a trace of where or when it was built.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{build, process, toolchain};

/// Builds it under `target`; nothing where `SCOPEWARD_BIN` names one.
///
/// # Errors
/// A sentence, when it does not compile.
pub fn build(root: &Path, target: &Path) -> Result<PathBuf, String> {
    if let Some(binary) = env::var_os(build::BINARY_ENV) {
        eprintln!("package: of the program that {} names", build::BINARY_ENV);
        return Ok(root.join(binary));
    }
    if env::var_os(toolchain::OBJECT_ENV).is_none() {
        let toolchain = toolchain::find(root).ok_or(toolchain::MISSING)?;
        process::run(&mut toolchain.cargo(root, "build"))?;
    }
    let home = env::var_os("CARGO_HOME").map_or_else(
        || Path::new(&env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    let places = [
        (root.display().to_string(), "/scopeward"),
        (home.display().to_string(), "/cargo"),
    ];
    let of_rust = places
        .clone()
        .map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    let of_c = places.map(|(from, to)| format!("-ffile-prefix-map={from}={to}"));
    process::run(
        Command::new(toolchain::running_cargo())
            .args(["build", "--release", "--locked", "--package", "scopeward"])
            .current_dir(root)
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_ENCODED_RUSTFLAGS", of_rust.join("\u{1f}"))
            .env("CFLAGS", of_c.join(" ")),
    )?;
    Ok(target.join("release/scopeward"))
}

/// Seconds since the epoch of the commit that is packed: the time of everything inside.
///
/// # Errors
/// git's own words.
pub fn moment(root: &Path) -> Result<String, String> {
    if let Ok(given) = env::var("SOURCE_DATE_EPOCH") {
        return Ok(given);
    }
    let log = process::read(
        Command::new("git")
            .args(["log", "-1", "--format=%ct"])
            .current_dir(root),
    )?;
    Ok(log.trim().to_owned())
}
