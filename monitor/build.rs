//! Builds or finds the eBPF object, nothing else: it is left as `scopeward.bpf.o` in `OUT_DIR`.

#[path = "../xtask/src/toolchain.rs"]
mod toolchain;

use std::path::{Path, PathBuf};
use std::{env, fs, process};

fn main() {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .expect("cargo names the package's folder");
    let root = manifest
        .parent()
        .expect("the package is a folder of the checkout");
    let target = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .expect("cargo names the output folder");

    for name in [toolchain::OBJECT_ENV, toolchain::TOOLCHAIN_ENV] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let object = match env::var_os(toolchain::OBJECT_ENV) {
        Some(path) => {
            let given = PathBuf::from(path);
            println!("cargo::rerun-if-changed={}", given.display());
            given
        }
        None => match build(root) {
            Ok(object) => object,
            Err(reason) => return refuse(&reason),
        },
    };
    if let Err(error) = fs::copy(&object, target.join("scopeward.bpf.o")) {
        refuse(&format!(
            "the eBPF object {} cannot be read: {error}",
            object.display()
        ));
    }
}

/// Builds the programs of the checkout at `root`; the error is one sentence for a person.
fn build(root: &Path) -> Result<PathBuf, String> {
    for source in ["src", "abi/src", "abi/Cargo.toml", "Cargo.toml", "Cargo.lock"] {
        println!(
            "cargo::rerun-if-changed={}",
            root.join("monitor-ebpf").join(source).display()
        );
    }
    println!(
        "cargo::rerun-if-changed={}",
        root.join("xtask/src/toolchain.rs").display()
    );
    let toolchain = toolchain::find(root).ok_or_else(|| {
        // Looked for again at every build until it is there.
        println!(
            "cargo::rerun-if-changed={}",
            toolchain::stamp(&toolchain::directory(root)).display()
        );
        toolchain::MISSING.to_owned()
    })?;
    let output = toolchain
        .cargo(root, "build")
        .output()
        .map_err(|error| format!("cannot start {}: {error}", toolchain.rustc().display()))?;
    if !output.status.success() {
        // The compiler's own words are what is wanted here, and cargo shows them only after a failure.
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        process::exit(1);
    }
    Ok(toolchain::object(root))
}

/// One readable line instead of a page of what failed afterwards.
fn refuse(reason: &str) {
    println!("cargo::error={reason}");
}
