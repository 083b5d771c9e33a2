//! Finds what builds the eBPF programs, and says how to call it.
//!
//! `monitor/build.rs` includes this file too (hence `std` only), so that `cargo build` and
//! `cargo xtask` build the same object in the same way and place.
//!
//! Two toolchains will do, and the first that is complete is taken:
//!
//! 1. the distribution's compiler, unpacked under `target/toolchain` by `cargo xtask setup`: its LLVM and
//!    that of its `bpf-linker` are the same by construction, and the host's own Rust is left alone;
//! 2. a rustup nightly with `rust-src`, and a `bpf-linker` whose LLVM is not older than that nightly's.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Environment variable: path of an object built elsewhere. Nothing is compiled or installed then.
pub const OBJECT_ENV: &str = "SCOPEWARD_EBPF_OBJECT";

/// Environment variable: where the unpacked toolchain lives, so that several checkouts can share one.
pub const TOOLCHAIN_ENV: &str = "SCOPEWARD_TOOLCHAIN";

/// What to tell a person who has no toolchain.
pub const MISSING: &str = "the eBPF toolchain is not here yet: run `cargo xtask setup` once (about two minutes, into \
    target/toolchain), or name an object built elsewhere in SCOPEWARD_EBPF_OBJECT";

/// First line of the stamp that a complete `target/toolchain` carries; raised when its layout changes.
pub const LAYOUT: &str = "scopeward toolchain 2";

/// A compiler and a linker that can build the eBPF programs.
pub struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    linker: PathBuf,
    /// Where the compiler's and the linker's shared libraries are, if not where the system looks.
    libraries: Option<PathBuf>,
}

/// The directory of the unpacked toolchain for the checkout at `root`.
pub fn directory(root: &Path) -> PathBuf {
    root.join(env::var_os(TOOLCHAIN_ENV).unwrap_or_else(|| "target/toolchain".into()))
}

/// The file that exists only when everything in the unpacked toolchain does.
pub fn stamp(directory: &Path) -> PathBuf {
    directory.join("complete")
}

/// Where the distribution keeps shared libraries under an unpacked root.
pub fn library_directory(directory: &Path) -> PathBuf {
    directory
        .join("root/usr/lib")
        .join(format!("{}-linux-gnu", env::consts::ARCH))
}

/// Where the build leaves the object for the checkout at `root`.
pub fn object(root: &Path) -> PathBuf {
    root.join("target/ebpf/bpfel-unknown-none/release/scopeward-ebpf")
}

/// Finds a complete toolchain for the checkout at `root`; runs at most one program, and none if the
/// unpacked one is there.
pub fn find(root: &Path) -> Option<Toolchain> {
    unpacked(&directory(root)).or_else(nightly)
}

impl Toolchain {
    /// `cargo VERB` on the eBPF package of the checkout at `root`, with nothing taken over from a cargo
    /// that may be running around this one.
    pub fn cargo(&self, root: &Path, verb: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        forget_outer_cargo(&mut command);
        let flags = [
            format!("--cfg=bpf_target_arch=\"{}\"", env::consts::ARCH),
            "-Cdebuginfo=2".to_owned(),
            "-Clink-arg=--btf".to_owned(),
        ];
        command
            .current_dir(root.join("monitor-ebpf"))
            .args([
                verb,
                "--release",
                "--locked",
                "--target",
                "bpfel-unknown-none",
                "-Z",
                "build-std=core",
            ])
            .env("CARGO_TARGET_DIR", root.join("target/ebpf"))
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &self.linker)
            .env("RUSTC", &self.rustc)
            // `build-std` is unstable, and the distribution's compiler is a stable one.
            .env("RUSTC_BOOTSTRAP", "1");
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    /// The compiler's path, for messages.
    pub fn rustc(&self) -> &Path {
        &self.rustc
    }
}

/// Takes away what an outer cargo, clippy or a person's settings would make of the inner one's compiler.
/// RUSTUP_TOOLCHAIN stays: without it rustup would obey the `rust-toolchain.toml` of each dependency.
pub fn forget_outer_cargo(command: &mut Command) {
    const OUTER: [&str; 5] = [
        "RUSTFLAGS",
        "RUSTDOC",
        "CARGO_MAKEFLAGS",
        "MAKEFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
    ];
    for name in OUTER {
        command.env_remove(name);
    }
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_BUILD_") || text.starts_with("CARGO_PROFILE_") {
            command.env_remove(&name);
        }
    }
    // Empty rather than removed: that also overrides a wrapper named in a configuration file.
    command
        .env("RUSTC_WRAPPER", "")
        .env("RUSTC_WORKSPACE_WRAPPER", "");
}

/// The cargo that runs us, which is the stable one; the distribution's own needs libraries of its own.
pub fn running_cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

fn unpacked(directory: &Path) -> Option<Toolchain> {
    let layout = fs::read_to_string(stamp(directory)).ok()?;
    let toolchain = Toolchain {
        cargo: running_cargo(),
        rustc: directory.join("root/usr/bin/rustc"),
        linker: directory.join("bpf-linker/bin/bpf-linker"),
        libraries: Some(library_directory(directory)),
    };
    let whole =
        layout.lines().next() == Some(LAYOUT) && toolchain.rustc.is_file() && toolchain.linker.is_file();
    whole.then_some(toolchain)
}

fn nightly() -> Option<Toolchain> {
    let home = env::var_os("HOME").map(PathBuf::from)?;
    let inside_home =
        |name: &str, folder: &str| env::var_os(name).map_or_else(|| home.join(folder), PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let linker = env::split_paths(&path)
        .chain([inside_home("CARGO_HOME", ".cargo").join("bin")])
        .map(|folder| folder.join("bpf-linker"))
        .find(|file| file.is_file())?;
    fs::read_dir(inside_home("RUSTUP_HOME", ".rustup").join("toolchains"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| {
            folder
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("nightly"))
        })
        .filter(|folder| folder.join("lib/rustlib/src/rust/library/Cargo.lock").is_file())
        .map(|folder| Toolchain {
            cargo: folder.join("bin/cargo"),
            rustc: folder.join("bin/rustc"),
            linker: linker.clone(),
            libraries: None,
        })
        .find(|toolchain| linker_fits(&toolchain.linker, &toolchain.rustc))
}

/// An older LLVM cannot read the bitcode of a newer one. A linker that carries LLVM inside does not tell
/// which, and is given the benefit of the doubt: the build says so if it does not fit.
fn linker_fits(linker: &Path, rustc: &Path) -> bool {
    let Some(linked) = fs::read(linker)
        .ok()
        .and_then(|bytes| number_after(&bytes, b"libLLVM.so."))
    else {
        return true;
    };
    let version = Command::new(rustc).arg("-vV").output();
    let compiled = version
        .ok()
        .and_then(|output| number_after(&output.stdout, b"LLVM version: "));
    compiled.is_some_and(|compiled| compiled <= linked)
}

fn number_after(bytes: &[u8], mark: &[u8]) -> Option<u32> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)? + mark.len();
    let digits: String = bytes[at..]
        .iter()
        .map(|byte| char::from(*byte))
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}
