//! Set-up, build, tests and checks of Scopeward, in one place: `cargo xtask`.

mod apt;
mod arrows;
mod bench;
mod build;
mod ci;
mod demo;
mod deny;
mod install;
mod package;
mod portability;
mod process;
mod schema;
mod setup;
mod shape;
mod source;
mod tally;
mod test;
mod toolchain;
mod vm;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup   installs what is missing (the eBPF toolchain, a C compiler); every other command does this first
  build   the release binary, target/release/scopeward
  demo    holds a session of git, python3 and curl to a scope, and shows what happened
  test    all tests; those that cannot run here say why, and are counted
  bench   what the monitor costs and how fast it answers, against no monitor; options:
          --quick (under a minute), --keep (writes docs/bench.md), --strict (fails on a missed target),
          --only CHAPTER,… (overhead, resources, losses, violations, deaths, alerts, startup)
  load    a busy session for ten minutes: events lost, memory, processor; options: --seconds, --acts, --cuts N (a second)
  vm      the kernel tests on Debian's stock kernels 5.10 to 7.3, in virtual machines; options:
          --kernel SERIES, --profile stock|no-bpf|lockdown|no-ftrace (each any number of times; all but the last where unset),
          --run FILTER (tests whose name holds it), --sh COMMAND (instead of tests), --table (every attack technique in
          every tier, into docs/kernel-support.md), --count (instructions per system call, into docs/instructions.md), --relock (newest packages into xtask/kernels.lock)
  package a Debian package, an RPM and an archive, in target/package/out; --twice builds all again from nothing and
          compares
  install-test
          the Debian package on Debian 12 and 13 in virtual machines: installation, reboot, upgrade during a session,
          removal, purge (emulated: about a quarter of an hour each; needs root, for debootstrap); options:
          --suite bookworm|trixie (any number of times; both where unset), --keep (writes the times into docs/operations.md)
  schema  writes the JSON Schema of the event record, docs/export/event.schema.json; the tests hold it up to date
  btf-check  the programs' struct fields, hooks and helpers against the types of those kernels, without booting
  ci      what a change must pass: format, lints, the files' rules, licences, tests
";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let root = checkout();
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["setup"] => setup::run(&root),
        ["build"] => setup::run(&root).and_then(|()| build::release(&root).map(drop)),
        ["demo"] => setup::run(&root).and_then(|()| demo::play::run(&root)),
        ["test"] => setup::run(&root).and_then(|()| test::run(&root)),
        ["bench", words @ ..] => setup::run(&root).and_then(|()| bench::run(&root, words)),
        ["load", words @ ..] => setup::run(&root).and_then(|()| bench::endurance::run(&root, words)),
        ["vm", words @ ..] => setup::run(&root).and_then(|()| vm::command::run(&root, words)),
        ["package", words @ ..] => setup::run(&root).and_then(|()| package::run(&root, words)),
        ["install-test", words @ ..] => setup::run(&root).and_then(|()| install::run(&root, words)),
        ["schema"] => setup::run(&root).and_then(|()| schema::write(&root)),
        ["btf-check"] => setup::run(&root).and_then(|()| portability::check::run(&root)),
        ["ci"] => setup::run(&root).and_then(|()| ci::run(&root)),
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

fn checkout() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}
