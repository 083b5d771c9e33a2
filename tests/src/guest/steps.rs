//! Runs the steps of the plan, and reports what they write while they run.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::plan::{Plan, Step};
use super::report::Report;

/// Runs every step of `plan`; one that fails does not keep the next from running.
pub fn run(plan: &Plan, report: &Report) {
    for step in &plan.steps {
        report.say("begin", &step.name);
        let end = if step.is_test {
            each_test(step, report)
        } else {
            run_one(step, &step.arguments, |line| report.say("out", line), report)
        };
        report.say(
            "end",
            &end.unwrap_or_else(|error| format!("cannot be run: {error}")),
        );
    }
}

/// Runs each test of a test program by itself, so that one that hangs or takes the program down costs no other.
fn each_test(step: &Step, report: &Report) -> io::Result<String> {
    let names = Mutex::new(Vec::new());
    let listing = [
        &["--list".to_owned(), "--format=terse".to_owned()],
        step.arguments.as_slice(),
    ]
    .concat();
    let keep = |line: &str| {
        if let Some(name) = line.strip_suffix(": test") {
            lock(&names).push(name.to_owned());
        }
    };
    let end = run_one(step, &listing, keep, report)?;
    let names = lock(&names).clone();
    for name in &names {
        let arguments = ["--exact", "--show-output", "--test-threads=1", name].map(str::to_owned);
        let begun = Instant::now();
        let end = run_one(step, &arguments, |line| report.say("out", line), report)?;
        report.say(
            "test",
            &format!("{name} {} ms: {end}", begun.elapsed().as_millis()),
        );
    }
    Ok(end)
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_one(
    step: &Step,
    arguments: &[String],
    tell: impl Fn(&str) + Sync + Send,
    report: &Report,
) -> io::Result<String> {
    let mut child = Command::new(&step.program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/root")
        .envs(&step.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let main = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    std::thread::scope(|both| {
        both.spawn(|| each_line(output, &tell));
        both.spawn(|| each_line(errors, |line| report.say("err", line)));
        let end = wait(main, step.bound);
        end_all_others();
        end
    })
}

/// Waits for `main`, and meanwhile for the orphans, whose parent is this first process.
fn wait(main: Pid, bound: Duration) -> io::Result<String> {
    let begun = Instant::now();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG))? {
            WaitStatus::Exited(pid, code) if pid == main => return Ok(format!("exit status: {code}")),
            WaitStatus::Signaled(pid, signal, _) if pid == main => return Ok(format!("signal: {signal}")),
            WaitStatus::StillAlive if begun.elapsed() > bound => {
                return Ok(format!("was still running after {} s", bound.as_secs()));
            }
            WaitStatus::StillAlive => std::thread::sleep(Duration::from_millis(10)),
            _ => {}
        }
    }
}

/// Whatever a step has left running would hold its pipes, and disturb the next.
fn end_all_others() {
    // Refused only where there is nobody else.
    kill(Pid::from_raw(-1), Signal::SIGKILL).ok();
    while waitpid(None, None).is_ok() {}
}

fn each_line(stream: Option<impl Read>, tell: impl Fn(&str)) {
    let Some(stream) = stream else { return };
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        tell(&String::from_utf8_lossy(&line));
    }
}

/// Reports every file in `directories` that a step left.
///
/// # Errors
/// Those of reading; a directory that is not there has no files.
pub fn tell_results(directories: &[PathBuf], report: &Report) -> io::Result<()> {
    for directory in directories {
        let entries = match std::fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for entry in entries {
            tell_file(&entry?.path(), report)?;
        }
    }
    Ok(())
}

fn tell_file(path: &Path, report: &Report) -> io::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    report.say("file", &format!("{} {line}", path.display()));
    Ok(())
}
