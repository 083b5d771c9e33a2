//! Set-up, build, tests and checks of Scopeward, in one place: `cargo xtask`.

mod apt;
mod process;
mod setup;
mod toolchain;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup   installs what is missing (the eBPF toolchain, a C compiler); every other command does this first
  build   the release binary, target/release/scopeward
";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let root = checkout();
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["setup"] => setup::run(&root),
        ["build"] => setup::run(&root).and_then(|()| build(&root)),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// The release binary with the kernel programs inside; these are built first, where their warnings show.
fn build(root: &Path) -> Result<(), String> {
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
    )
}

fn checkout() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}
