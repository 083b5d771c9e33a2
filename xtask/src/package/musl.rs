//! musl: Rust's standard library for it by rustup, and the headers that C code is compiled with from Debian, unpacked
//! under target/.

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{apt, build, process};

/// Where musl is.
pub struct Musl {
    /// Rust's name of the target.
    pub target: String,
    /// The C library's headers.
    headers: PathBuf,
}

impl Musl {
    /// musl for this machine, fetched where it is not there.
    ///
    /// # Errors
    /// A sentence, when rustup or Debian do not have it.
    pub fn ensure(root: &Path) -> Result<Self, String> {
        let target = format!("{ARCH}-unknown-linux-musl");
        let library = |target: &str| {
            let printed = process::read(Command::new("rustc").current_dir(root).args([
                "--target",
                target,
                "--print",
                "target-libdir",
            ]))?;
            Ok::<_, String>(Path::new(printed.trim()).is_dir())
        };
        if !library(&target)? {
            process::run(
                Command::new("rustup")
                    .current_dir(root)
                    .args(["target", "add", &target]),
            )
            .map_err(|error| format!("no standard library of Rust for {target}: {error}"))?;
        }
        let place = format!("usr/include/{ARCH}-linux-musl");
        let of_host = Path::new("/").join(&place);
        if of_host.is_dir() {
            return Ok(Self {
                target,
                headers: of_host,
            });
        }
        let folder = build::target_directory(root).join("tools/musl");
        let headers = folder.join("root").join(&place);
        if !headers.is_dir() {
            eprintln!("package: musl's headers into {}", folder.display());
            let archive = apt::Archive::of_host();
            let mut packages = archive.closure(&["musl-dev"])?;
            packages.retain(|name, _| name == "musl-dev");
            archive.unpack(&packages, &folder.join("packages"), &folder.join("root"))?;
        }
        Ok(Self { target, headers })
    }

    /// Makes `command` (cargo's) build for musl, C code with `flags`.
    pub fn apply<'c>(&self, command: &'c mut Command, flags: &str) -> &'c mut Command {
        let name = self.target.replace('-', "_");
        let compiler = process::read(Command::new("gcc").arg("-print-file-name=include")).unwrap_or_default();
        let flags = format!(
            "-nostdinc -isystem {} -isystem {} {flags}",
            self.headers.display(),
            compiler.trim()
        );
        command
            .args(["--target", &self.target])
            .env(format!("CC_{name}"), "gcc")
            .env(format!("CFLAGS_{name}"), flags)
    }
}
