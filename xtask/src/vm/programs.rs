//! Programs that machines are made with, unpacked under the store where this host has none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::Archive;
use crate::process;

/// A command for the unpacker `name` (of a kernel's payload), this host's or one fetched now.
pub fn unpacker(store: &Path, name: &str) -> Option<Command> {
    if let Some(program) = process::find_program(name) {
        return Some(Command::new(program));
    }
    let package = match name {
        "xz" => "xz-utils",
        other => other,
    };
    match ensure(store, name, &[package]) {
        Ok(folder) => Some(program(&folder, name)),
        Err(reason) => {
            eprintln!("vm: {reason}");
            None
        }
    }
}

/// `packages` and all that they need, unpacked in the folder `name` of the store; nothing is installed.
///
/// # Errors
/// A sentence, when they cannot be had.
pub fn ensure(store: &Path, name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = store.join(name);
    let stamp = folder.join("complete");
    if stamp.is_file() {
        return Ok(folder);
    }
    eprintln!("vm: unpacking {} into {}", packages.join(", "), folder.display());
    let scratch = store.join(format!("packages-{name}"));
    let unpack = |archive: &Archive| {
        let closure = archive.closure(packages)?;
        archive.unpack(&closure, &scratch, &folder)?;
        Ok::<_, String>(closure)
    };
    let closure =
        unpack(&Archive::of_host()).or_else(|_| unpack(&Archive::listed_in(&store.join("lists-host"))?))?;
    let contents: String = closure
        .iter()
        .map(|(name, version)| format!("{name} {version}\n"))
        .collect();
    fs::write(&stamp, contents).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    Ok(folder)
}

/// The unpacked program `name`, with the libraries it was unpacked with.
pub fn program(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(folder.join("usr/bin").join(name));
    let libraries = ["usr/lib", "lib"].map(|place| {
        folder
            .join(place)
            .join(format!("{}-linux-gnu", std::env::consts::ARCH))
            .into_os_string()
    });
    command.env("LD_LIBRARY_PATH", libraries.join(":".as_ref()));
    command
}
