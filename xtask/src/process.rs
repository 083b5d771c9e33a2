//! Running programs so that a failure says which one, and why.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Runs `command` with this terminal's output.
///
/// # Errors
/// A sentence with the command line, when it cannot be started or does not exit with 0.
pub fn run(command: &mut Command) -> Result<(), String> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` ended with {status}", line(command)))
    }
}

/// Runs `command` and gives what it wrote to standard output.
///
/// # Errors
/// A sentence with the command line and what it wrote to standard error, when it cannot be started or
/// does not exit with 0.
pub fn read(command: &mut Command) -> Result<String, String> {
    let output = capture(command)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let why = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "`{}` ended with {}: {}",
            line(command),
            output.status,
            why.trim()
        ))
    }
}

/// Runs `command` to its end and keeps everything it wrote, whatever its exit status.
///
/// # Errors
/// A sentence with the command line, when it cannot be started.
pub fn capture(command: &mut Command) -> Result<Output, String> {
    command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| cannot_start(command, &error))
}

/// Whether this process may do everything.
///
/// # Errors
/// A sentence, when there is no `id`.
pub fn is_root() -> Result<bool, String> {
    Ok(read(Command::new("id").arg("-u"))?.trim() == "0")
}

/// The first file called `name` on the search path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // Administrators' programs (bpftool, ip) are not on every user's path.
    let places = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    places.map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` cannot be started: {error}", line(command))
}

fn line(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
