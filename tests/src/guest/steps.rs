//! Runs the steps of the plan, and reports what they write while they run.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
        let end = run_one(step, report).unwrap_or_else(|error| format!("cannot be run: {error}"));
        report.say("end", &end);
    }
}

fn run_one(step: &Step, report: &Report) -> io::Result<String> {
    let mut child = Command::new(&step.program)
        .args(&step.arguments)
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
        both.spawn(|| each_line(output, |line| report.say("out", line)));
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

fn each_line(stream: Option<impl Read>, mut tell: impl FnMut(&str)) {
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
