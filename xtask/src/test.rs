//! `cargo xtask test`: every test there is, and one line that sums them up.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::tally::Tally;
use crate::{apt, build, toolchain, vm};

/// Programs that tests call, and the packages they come in.
const PROGRAMS: [(&str, &str); 6] = [
    ("git", "git"),
    ("python3", "python3"),
    ("curl", "curl"),
    ("ip", "iproute2"),
    ("sudo", "sudo"),
    ("bpftool", "bpftool"),
];

/// Builds the release binary, runs all tests, prints `N passed, N failed, N skipped` as the last line.
///
/// # Errors
/// A sentence, when a test failed or something did not compile.
pub fn run(root: &Path) -> Result<(), String> {
    if let Err(reason) = apt::ensure(&PROGRAMS, "tests work with real programs") {
        // Only those tests are skipped then, each with its own reason.
        eprintln!("test: {reason}");
    }
    let binary = build::release(root)?;
    let mut cargo = Command::new(toolchain::running_cargo());
    cargo
        // Captured output of tests that pass is wanted too: there they say that they were skipped.
        .args(["test", "--workspace", "--no-fail-fast", "--", "--show-output"])
        .current_dir(root)
        .env(build::BINARY_ENV, &binary)
        .env("INSTA_UPDATE", "no")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = cargo
        .spawn()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let tally = Mutex::new(Tally::default());
    thread::scope(|both| {
        both.spawn(|| each_line(output, |line| locked(&tally, |tally| tally.read_output(line))));
        both.spawn(|| each_line(errors, |line| locked(&tally, |tally| tally.read_errors(line))));
    });
    let status = child
        .wait()
        .map_err(|error| format!("cannot wait for cargo: {error}"))?;
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Afterwards, so that no test waits for an emulated machine.
    let machines = vm::command::per_change(root, &binary)?;
    let skipped = [tally.skipped(), machines.skipped.as_slice()].concat();
    for reason in &skipped {
        println!("skipped: {reason}");
    }
    let (passed, failed) = (tally.passed() + machines.passed, tally.failed() + machines.failed);
    println!("{passed} passed, {failed} failed, {} skipped", skipped.len());
    match (status.success(), failed) {
        (true, 0) => Ok(()),
        (_, 0) => Err(format!("cargo test ended with {status}")),
        (_, failed) => Err(format!("{failed} tests failed")),
    }
}

/// Prints those lines of `stream` that `wanted` says a person wants to see; ends with the stream.
fn each_line(stream: Option<impl Read>, wanted: impl Fn(&str) -> bool) {
    let Some(stream) = stream else { return };
    // A stream that breaks off ends the reading: cargo's exit status then tells what happened.
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if wanted(&line) {
            println!("{line}");
        }
    }
}

fn locked(tally: &Mutex<Tally>, read: impl FnOnce(&mut Tally) -> bool) -> bool {
    read(&mut tally.lock().unwrap_or_else(PoisonError::into_inner))
}
