//! One boot: what goes into the machine, and what came of it.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::built::Built;
use super::image::Contents;
use super::machine::{self, Boot, Traces};
use super::plan::{self, Step};
use super::profile::Profile;
use super::{console, counting, kernels};
use crate::build;
use crate::tally::Tally;

/// How many times as long as on a machine of its own a test may wait.
const PATIENCE: &str = "10";

/// How long one test may take in a machine before it counts as hung.
const TEST_SECONDS: u64 = 120;

/// How long the whole table may take in a machine.
const TABLE_SECONDS: u64 = 800;

/// Where the test programs lie in a machine.
const TESTS: &str = "/target/debug/deps";

/// What a machine does between its start and its end.
pub enum Work {
    /// The tests, or those whose name holds this.
    Tests(Option<String>),
    /// One command line for a shell.
    Shell(String),
    /// Every technique of the table, with one daemon, and what the daemon's death leaves.
    Table,
    /// Instructions per system call.
    Count,
}

/// What a boot came to.
pub struct Outcome {
    /// Whether all was as it should be.
    pub good: bool,
    /// One line for a person.
    pub line: String,
    /// Tests that passed.
    pub passed: usize,
    /// At least one where anything was wrong.
    pub failed: usize,
    /// What could not run, each with its reason.
    pub skipped: Vec<String>,
    /// The rows of the table, by technique.
    pub rows: Vec<Value>,
    /// What the steps wrote.
    pub said: String,
}

/// Boots the kernel of `series` in `profile` with `binary` and the tests in it.
///
/// # Errors
/// A sentence, when the kernel, QEMU or a file cannot be had.
pub fn boot(
    root: &Path,
    store: &Path,
    (series, profile): (&str, Profile),
    binary: &Path,
    built: &Built,
    work: &Work,
) -> Result<Outcome, String> {
    let kernel = kernels::ensure(root, store, series, "amd64")?;
    let folder = build::target_directory(root)
        .join("vm/run")
        .join(format!("{series}-{}", profile.name()));
    fs::create_dir_all(&folder).map_err(|error| format!("cannot use {}: {error}", folder.display()))?;
    let nonce = plan::nonce()?;
    let initramfs = pack(&folder, &nonce, profile, binary, built, work)?;
    let traces = machine::run(
        store,
        &folder,
        &Boot {
            kernel: &kernel.vmlinux(),
            parameters: profile.parameters(),
            initramfs: &initramfs,
            memory: 1024,
            bound: Duration::from_secs(900),
            counting: matches!(work, Work::Count),
        },
    )?;
    Ok(judge(&kernel.version, &nonce, &folder, &traces, work))
}

fn pack(
    folder: &Path,
    nonce: &str,
    profile: Profile,
    binary: &Path,
    built: &Built,
    work: &Work,
) -> Result<Vec<u8>, String> {
    let mut contents = Contents::of_host();
    contents.program("/usr/bin/scopeward", binary);
    for (name, path) in &built.programs {
        let place = if name == "guest" {
            "/init".to_owned()
        } else {
            format!("/target/debug/{name}")
        };
        contents.program(&place, path);
    }
    for (name, path) in &built.tests {
        contents.program(&format!("{TESTS}/{name}"), path);
    }
    let shell = |line: &str| Step {
        name: "sh".to_owned(),
        program: "/usr/bin/sh".to_owned(),
        is_test: false,
        arguments: vec!["-c".to_owned(), line.to_owned()],
        seconds: 300,
    };
    let mut steps: Vec<Step> = profile.preparation().map(shell).into_iter().collect();
    match work {
        Work::Tests(filter) => steps.extend(built.tests.iter().map(|(name, _)| Step {
            name: name.clone(),
            program: format!("{TESTS}/{name}"),
            is_test: true,
            arguments: filter.iter().cloned().collect(),
            seconds: TEST_SECONDS,
        })),
        Work::Shell(line) => steps.push(shell(line)),
        Work::Count => steps.push(shell(counting::SCRIPT)),
        Work::Table => steps.push(Step {
            name: "table".to_owned(),
            program: format!("{TESTS}/evasion"),
            is_test: false,
            arguments: ["--ignored", "--nocapture", "--test-threads=1", "matrix::"]
                .map(str::to_owned)
                .to_vec(),
            seconds: TABLE_SECONDS,
        }),
    }
    let environment = [
        (build::BINARY_ENV, "/usr/bin/scopeward".to_owned()),
        (
            "SCOPEWARD_TRIALS",
            env::var("SCOPEWARD_TRIALS").unwrap_or_else(|_| "3".to_owned()),
        ),
        ("SCOPEWARD_PATIENCE", PATIENCE.to_owned()),
        ("RUST_BACKTRACE", "0".to_owned()),
    ];
    contents.plain("/plan.json", plan::write(nonce, &[], &steps, &environment));
    contents.pack(folder)
}

/// Reads the verdict out of what a machine wrote.
fn judge(version: &str, nonce: &str, folder: &Path, traces: &Traces, work: &Work) -> Outcome {
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    let mut done = false;
    let mut step = "";
    let mut said = String::new();
    let mut rows = Vec::new();
    for line in traces.results.lines().filter_map(|line| line.strip_prefix(nonce)) {
        let line = line.trim_start().trim_end_matches('\r');
        let (kind, text) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "begin" => step = text,
            "end" if text != "exit status: 0" => wrong.push(format!("{step}: {text}")),
            "done" => done = true,
            "out" => {
                said.push_str(&format!("{text}\n"));
                if tally.read_output(text) && text.contains("FAILED") {
                    println!("  {text}");
                }
            }
            "err" => {
                said.push_str(&format!("{text}\n"));
                tally.read_errors(text);
            }
            // A failed test ends with 101, and has said so; one that hangs or dies says nothing.
            "test"
                if !["exit status: 0", "exit status: 101"]
                    .iter()
                    .any(|end| text.ends_with(end)) =>
            {
                println!("  {text}");
                wrong.push(text.to_owned());
            }
            "file" => {
                let row = text.split_once(' ').map(|(_, row)| serde_json::from_str(row));
                rows.extend(row.and_then(Result::ok));
            }
            "lacking" => println!("  the machine lacks {text}"),
            _ => {}
        }
    }
    if let Err(error) = fs::write(folder.join("tests.log"), &said) {
        wrong.push(format!("cannot write tests.log: {error}"));
    }
    if !done {
        wrong.push("the machine ended without a verdict".to_owned());
    }
    wrong.extend(traces.broken.clone());
    let (passed, failed, skipped) = (tally.passed(), tally.failed(), tally.skipped().len());
    if passed + failed + skipped == 0 && !matches!(work, Work::Shell(_) | Work::Count) {
        wrong.push("no test ran".to_owned());
    }
    let complaints = console::complaints(&traces.console);
    for complaint in &complaints {
        println!("{complaint}");
    }
    if !complaints.is_empty() {
        wrong.push(format!("the kernel complained {} times", complaints.len()));
    }
    for reason in tally.skipped() {
        println!("  skipped: {reason}");
    }
    let line = format!(
        "{passed} passed, {failed} failed, {skipped} skipped on Linux {version} in {} s{}",
        traces.took.as_secs(),
        if wrong.is_empty() {
            String::new()
        } else {
            format!(" ({}; see {})", wrong.join("; "), folder.display())
        }
    );
    Outcome {
        good: wrong.is_empty() && failed == 0,
        line,
        passed,
        failed: failed.max(usize::from(!wrong.is_empty())),
        skipped: tally.skipped().to_vec(),
        rows,
        said,
    }
}
