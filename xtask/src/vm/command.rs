//! The command: which boots, in which order, and what came of them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::image::Contents;
use super::machine::{self, Boot, Traces};
use super::plan::{self, Step};
use super::profile::Profile;
use super::{console, kernels, qemu, store};
use crate::tally::Tally;
use crate::{build, toolchain};

/// How many times as long as on a machine of its own a test may wait.
const PATIENCE: &str = "10";

/// How long one test may take in a machine before it counts as hung.
const TEST_SECONDS: u64 = 120;

/// What every run of all tests boots, and which tests run there. Two boots and a few tests, because one emulated
/// processor is slow.
const PER_CHANGE: [(&str, Profile, &str); 2] = [
    ("6.18", Profile::Lockdown, "file_open::only_"),
    ("7.3", Profile::Stock, "file_open::only_"),
];

/// What to boot, and what to run there.
struct Order {
    series: Vec<String>,
    profiles: Vec<Profile>,
    work: Work,
}

/// What a machine does between its start and its end.
enum Work {
    /// The tests, or those whose name holds this.
    Tests(Option<String>),
    /// One command line for a shell.
    Shell(String),
}

/// `cargo xtask vm` with these words.
///
/// # Errors
/// A sentence, when a word is not known, a kernel cannot be had, or a boot found something wrong.
pub fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let store = store::directory(root);
    if words == ["--relock"] {
        return kernels::relock(root, &store);
    }
    let order = parse(words)?;
    let binary = build::release(root)?;
    let built = build_tests(root)?;
    let mut lines = Vec::new();
    let mut failed = false;
    for series in &order.series {
        for &profile in &order.profiles {
            let name = format!("{series} {}", profile.name());
            eprintln!("vm: {name}");
            let outcome = boot(root, &store, series, profile, &binary, &built, &order.work);
            failed |= !matches!(&outcome, Ok(outcome) if outcome.good);
            lines.push(match outcome {
                Ok(outcome) => format!("{name}: {}", outcome.line),
                Err(reason) => format!("{name}: FAILED: {reason}"),
            });
        }
    }
    println!("{}", lines.join("\n"));
    if failed {
        Err("a kernel was not what it should be".to_owned())
    } else {
        Ok(())
    }
}

/// What the machines add to a run of all tests.
#[derive(Default)]
pub struct Sum {
    /// Tests that passed in one.
    pub passed: usize,
    /// Tests that failed, and machines that were not what they should be.
    pub failed: usize,
    /// What could not run, each with its reason.
    pub skipped: Vec<String>,
}

/// The boots of every run of all tests: [`PER_CHANGE`], with `binary`. A kernel that cannot be had is skipped.
///
/// # Errors
/// A sentence, when the tests do not compile.
pub fn per_change(root: &Path, binary: &Path) -> Result<Sum, String> {
    let store = store::directory(root);
    let mut sum = Sum::default();
    let mut built = None;
    for (series, profile, filter) in PER_CHANGE {
        let name = format!("Linux {series} {} in a machine", profile.name());
        let can = qemu::command(&store).and_then(|_| kernels::ensure(root, &store, series, "amd64"));
        if let Err(reason) = can {
            let reason = reason.lines().next().unwrap_or_default();
            sum.skipped.push(format!("{name}: {reason}"));
            continue;
        }
        if built.is_none() {
            built = Some(build_tests(root)?);
        }
        let Some(built) = &built else { continue };
        let work = Work::Tests(Some(filter.to_owned()));
        match boot(root, &store, series, profile, binary, built, &work) {
            Ok(outcome) => {
                println!("{name}: {}", outcome.line);
                sum.passed += outcome.passed;
                sum.failed += outcome.failed;
                let skipped = outcome.skipped.iter().map(|reason| format!("{name}: {reason}"));
                sum.skipped.extend(skipped);
            }
            Err(reason) => {
                println!("{name}: FAILED: {reason}");
                sum.failed += 1;
            }
        }
    }
    Ok(sum)
}

fn parse(words: &[&str]) -> Result<Order, String> {
    let mut order = Order {
        series: Vec::new(),
        profiles: Vec::new(),
        work: Work::Tests(None),
    };
    let mut rest = words.iter();
    while let Some(&word) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("`{word}` needs a value"))?;
        match word {
            "--kernel" if kernels::SERIES.contains(value) => order.series.push((*value).to_owned()),
            "--kernel" => {
                return Err(format!(
                    "no kernel {value}: there are {}",
                    kernels::SERIES.join(", ")
                ));
            }
            "--profile" => order.profiles.push(Profile::named(value).ok_or_else(|| {
                let names = Profile::ALL.map(Profile::name).join(", ");
                format!("no profile {value}: there are {names}")
            })?),
            "--run" => order.work = Work::Tests(Some((*value).to_owned())),
            "--sh" => order.work = Work::Shell((*value).to_owned()),
            _ => {
                return Err(format!(
                    "vm does not know `{word}`: --kernel, --profile, --run, --sh, --relock"
                ));
            }
        }
    }
    if order.series.is_empty() {
        order.series = kernels::SERIES.map(str::to_owned).to_vec();
    }
    if order.profiles.is_empty() {
        order.profiles = Profile::ALL.to_vec();
    }
    Ok(order)
}

/// Programs that cargo built, by kind and name.
struct Built {
    tests: Vec<(String, PathBuf)>,
    programs: Vec<(String, PathBuf)>,
}

fn build_tests(root: &Path) -> Result<Built, String> {
    let output = Command::new(toolchain::running_cargo())
        .args([
            "test",
            "--quiet",
            "--package",
            "scopeward-tests",
            "--test",
            "kernel",
            "--test",
            "evasion",
        ])
        .args(["--no-run", "--message-format", "json-render-diagnostics"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the tests do not compile: {}", output.status));
    }
    let mut built = Built {
        tests: Vec::new(),
        programs: Vec::new(),
    };
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        let Some(path) = message["executable"].as_str() else {
            continue;
        };
        let name = message["target"]["name"].as_str().unwrap_or_default().to_owned();
        let is_test = message["profile"]["test"] == true;
        let list = if is_test {
            &mut built.tests
        } else {
            &mut built.programs
        };
        list.push((name, PathBuf::from(path)));
    }
    built.tests.sort_by(|one, other| other.0.cmp(&one.0));
    Ok(built)
}

/// What a boot came to.
struct Outcome {
    good: bool,
    line: String,
    passed: usize,
    /// At least one where anything was wrong.
    failed: usize,
    skipped: Vec<String>,
}

fn boot(
    root: &Path,
    store: &Path,
    series: &str,
    profile: Profile,
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
    let initramfs = pack(&folder, &nonce, binary, built, work)?;
    let traces = machine::run(
        store,
        &folder,
        &Boot {
            kernel: &kernel.vmlinux(),
            parameters: profile.parameters(),
            initramfs: &initramfs,
            memory: 1024,
            bound: Duration::from_secs(900),
            counting: false,
        },
    )?;
    let outcome = judge(&kernel.version, &nonce, &folder, &traces, work);
    if matches!(work, Work::Shell(_)) {
        print!(
            "{}",
            fs::read_to_string(folder.join("tests.log")).unwrap_or_default()
        );
    }
    Ok(outcome)
}

fn pack(folder: &Path, nonce: &str, binary: &Path, built: &Built, work: &Work) -> Result<Vec<u8>, String> {
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
    let mut steps = Vec::new();
    for (name, path) in &built.tests {
        let program = format!("/target/debug/deps/{name}");
        contents.program(&program, path);
        if let Work::Tests(filter) = work {
            steps.push(Step {
                name: name.clone(),
                program,
                is_test: true,
                arguments: filter.iter().cloned().collect(),
                seconds: TEST_SECONDS,
            });
        }
    }
    if let Work::Shell(line) = work {
        steps.push(Step {
            name: "sh".to_owned(),
            program: "/usr/bin/sh".to_owned(),
            is_test: false,
            arguments: vec!["-c".to_owned(), line.clone()],
            seconds: 300,
        });
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
            "lacking" => println!("  the machine lacks {text}"),
            _ => {}
        }
    }
    if let Err(error) = fs::write(folder.join("tests.log"), said) {
        wrong.push(format!("cannot write tests.log: {error}"));
    }
    if !done {
        wrong.push("the machine ended without a verdict".to_owned());
    }
    wrong.extend(traces.broken.clone());
    let (passed, failed, skipped) = (tally.passed(), tally.failed(), tally.skipped().len());
    if passed + failed + skipped == 0 && matches!(work, Work::Tests(_)) {
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
    }
}
