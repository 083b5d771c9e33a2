//! The release binary, without a trace of where or when it was built.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::musl::Musl;
use crate::{build, process, toolchain};

/// Builds it under `target`, for the C library of this system; nothing where `SCOPEWARD_BIN` names one.
///
/// # Errors
/// A sentence, when it does not compile.
pub fn build(root: &Path, target: &Path) -> Result<PathBuf, String> {
    if let Some(binary) = env::var_os(build::BINARY_ENV) {
        eprintln!("package: of the program that {} names", build::BINARY_ENV);
        return Ok(root.join(binary));
    }
    compile(root, target, None)?;
    Ok(target.join("release/scopeward"))
}

/// Builds it under `target` with musl linked in: a program that needs nothing of the system but its kernel.
///
/// # Errors
/// A sentence, when musl cannot be had, or it does not compile.
pub fn build_static(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let musl = Musl::ensure(root)?;
    compile(root, target, Some(&musl))?;
    let program = target.join(&musl.target).join("release/scopeward");
    // A program without an interpreter is given to the kernel as it is.
    let headers = process::read(Command::new("readelf").args(["-lW"]).arg(&program))?;
    if headers.contains("INTERP") {
        return Err(format!("{} is not static", program.display()));
    }
    Ok(program)
}

fn compile(root: &Path, target: &Path, musl: Option<&Musl>) -> Result<(), String> {
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
    let of_c = places
        .map(|(from, to)| format!("-ffile-prefix-map={from}={to}"))
        .join(" ");
    let mut command = Command::new(toolchain::running_cargo());
    command
        .args(["build", "--release", "--locked", "--package", "scopeward"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_ENCODED_RUSTFLAGS", of_rust.join("\u{1f}"));
    match musl {
        None => command.env("CFLAGS", of_c),
        Some(musl) => musl.apply(&mut command, &of_c),
    };
    process::run(&mut command)
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
