//! `cargo xtask setup`: installs whatever is missing, and says what and why.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, io};

use crate::apt::{self, Archive};
use crate::{process, toolchain};

const BPF_LINKER: &str = "0.13.0";
/// Major versions of LLVM that this bpf-linker builds against.
const LLVM: std::ops::RangeInclusive<u32> = 21..=23;

/// Makes sure that this checkout can be built: a C compiler, and a toolchain for the eBPF programs.
/// Takes a few milliseconds when all is there.
///
/// # Errors
/// A sentence that says what is missing, and what to do where this cannot install it by itself.
pub fn run(root: &Path) -> Result<(), String> {
    if process::find_program("cc").is_none() {
        apt::install(
            &["gcc", "libc6-dev"],
            "the bundled SQLite and the Rust linker need a C compiler",
        )?;
    }
    if let Some(object) = env::var_os(toolchain::OBJECT_ENV).map(PathBuf::from) {
        let name = toolchain::OBJECT_ENV;
        let there = object.is_file();
        return there
            .then_some(())
            .ok_or_else(|| format!("{name} names {}, which is not a file", object.display()));
    }
    if toolchain::find(root).is_some() {
        return Ok(());
    }
    let directory = toolchain::directory(root);
    if !apt::available() {
        return Err(format!(
            "the eBPF programs need a compiler for bpfel-unknown-none, and this host has no apt to get one from: \
             install one (`rustup toolchain install nightly --component rust-src`, then `cargo install bpf-linker \
             --version {BPF_LINKER} --no-default-features --features llvm-NN --locked` with NN the LLVM of that \
             nightly), or build on a Debian 12 host and name the object in {}",
            toolchain::OBJECT_ENV
        ));
    }
    fs::create_dir_all(&directory).map_err(|error| unusable(&directory, &error))?;
    // Two builds of one checkout may want this at the same time; the second finds it done.
    let lock = File::create(directory.join("lock")).map_err(|error| unusable(&directory, &error))?;
    lock.lock().map_err(|error| unusable(&directory, &error))?;
    if toolchain::find(root).is_none() {
        install(&directory)?;
    }
    Ok(())
}

fn install(directory: &Path) -> Result<(), String> {
    let began = Instant::now();
    let say = |what: &str| eprintln!("setup: {what}");
    for part in ["root", "bpf-linker", "llvm", "complete"] {
        remove(&directory.join(part))?;
    }
    say(&format!(
        "unpacking Debian's rustc-web with its sources and LLVM into {}: the eBPF programs need a compiler whose \
         core library can be built for the kernel (nothing is installed on the host)",
        directory.display()
    ));
    let packages = unpack(&Archive::of_host(), directory).or_else(|reason| {
        let reason = reason.lines().next().unwrap_or_default();
        say(&format!(
            "fetching the archive's package lists anew, as the host's do not do: {reason}"
        ));
        unpack(&Archive::listed_in(&directory.join("apt"))?, directory)
    })?;
    let llvm = fitting_llvm(&packages)?;

    say(&format!(
        "compiling bpf-linker {BPF_LINKER} against LLVM {llvm} (about a minute)"
    ));
    build_linker(directory, llvm)?;

    for part in ["packages", "apt", "linker-build"] {
        remove(&directory.join(part))?;
    }
    let contents: Vec<String> = packages
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let stamp = format!(
        "{}\nbpf-linker {BPF_LINKER}\n{}\n",
        toolchain::LAYOUT,
        contents.join("\n")
    );
    fs::write(toolchain::stamp(directory), stamp).map_err(|error| unusable(directory, &error))?;
    say(&format!(
        "the eBPF toolchain is ready ({} s)",
        began.elapsed().as_secs()
    ));
    Ok(())
}

fn unpack(archive: &Archive, directory: &Path) -> Result<BTreeMap<String, String>, String> {
    let packages = archive.closure(&["rustc-web", "rust-web-src", "rust-web-clippy"])?;
    fitting_llvm(&packages)?;
    archive.unpack(&packages, &directory.join("packages"), &directory.join("root"))?;
    Ok(packages)
}

fn fitting_llvm(packages: &BTreeMap<String, String>) -> Result<u32, String> {
    let (oldest, newest) = (LLVM.start(), LLVM.end());
    llvm_major(packages).filter(|major| LLVM.contains(major)).ok_or_else(|| {
        format!(
            "this Debian's rustc-web does not come with an LLVM from {oldest} to {newest}: add the security archive \
             of this release to the host's apt sources"
        )
    })
}

/// From `libllvm22`, 22.
fn llvm_major(packages: &BTreeMap<String, String>) -> Option<u32> {
    packages
        .keys()
        .find_map(|name| name.strip_prefix("libllvm")?.trim_end_matches("t64").parse().ok())
}

fn build_linker(directory: &Path, llvm: u32) -> Result<(), String> {
    let libraries = toolchain::library_directory(directory);
    let shared = fs::read_dir(&libraries)
        .map_err(|error| unusable(&libraries, &error))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("libLLVM.so."))
        })
        .ok_or_else(|| format!("the package libllvm{llvm} holds no libLLVM.so"))?;
    // What the -dev package would add is one symbolic link: the linker names the library without version.
    let prefix = directory.join("llvm");
    fs::create_dir_all(prefix.join("lib"))
        .and_then(|()| std::os::unix::fs::symlink(&shared, prefix.join("lib/libLLVM.so")))
        .map_err(|error| unusable(&prefix, &error))?;
    let mut command = Command::new(toolchain::running_cargo());
    toolchain::forget_outer_cargo(&mut command);
    command
        .args([
            "install",
            "--quiet",
            "bpf-linker",
            "--version",
            BPF_LINKER,
            "--locked",
            "--no-default-features",
        ])
        .args(["--features", &format!("llvm-{llvm}"), "--no-track", "--root"])
        .arg(directory.join("bpf-linker"))
        .env("CARGO_TARGET_DIR", directory.join("linker-build"))
        .env("LLVM_PREFIX", &prefix)
        // The system's linker looks here for what libLLVM itself needs.
        .env("LD_LIBRARY_PATH", &libraries);
    process::run(&mut command)
}

fn remove(path: &Path) -> Result<(), String> {
    let gone = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match gone {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(path, &error)),
        _ => Ok(()),
    }
}

fn unusable(path: &Path, error: &io::Error) -> String {
    format!("cannot use {}: {error}", path.display())
}
