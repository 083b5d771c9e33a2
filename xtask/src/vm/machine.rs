//! One boot of one kernel, from its start to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::qemu;

/// The processor: all that QEMU emulates but for `cmpxchg16b`, after which QEMU 7.2 sometimes has an address in the flags and
/// the kernel's allocator ends in a double fault.
const CPU: &str = "max,-cx16";

/// What a boot needs.
pub struct Boot<'a> {
    /// The kernel proper.
    pub kernel: &'a Path,
    /// Its boot parameters, besides those that every machine gets.
    pub parameters: &'a str,
    /// Its first file system.
    pub initramfs: &'a [u8],
    /// Memory in MiB.
    pub memory: u32,
    /// After this it is ended.
    pub bound: Duration,
    /// Whether one nanosecond is to be one instruction.
    pub counting: bool,
}

/// What a boot left.
pub struct Traces {
    /// What the kernel wrote.
    pub console: String,
    /// What the init wrote.
    pub results: String,
    /// How long it took.
    pub took: Duration,
    /// Why the machine did not end by itself.
    pub broken: Option<String>,
}

/// Boots, and waits for the machine's end; its traces stay in `folder`.
///
/// # Errors
/// A sentence, when QEMU cannot be had or started.
pub fn run(store: &Path, folder: &Path, boot: &Boot<'_>) -> Result<Traces, String> {
    let unusable = |error: std::io::Error| format!("cannot use {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(unusable)?;
    let place = |name: &str| folder.join(name);
    let [console, results, initramfs] = ["console.log", "results.log", "initramfs"].map(place);
    for path in [&console, &results] {
        fs::write(path, "").map_err(unusable)?;
    }
    fs::write(&initramfs, boot.initramfs).map_err(unusable)?;
    let mut command = qemu::command(store)?;
    command
        .args(["-machine", "q35", "-accel", "tcg", "-cpu", CPU, "-smp", "1"])
        .args(["-m", &boot.memory.to_string()])
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"])
        .arg("-serial")
        .arg(port(&console))
        .arg("-serial")
        .arg(port(&results))
        .arg("-kernel")
        .arg(boot.kernel)
        .arg("-initrd")
        .arg(&initramfs)
        .args(["-append", &format!("console=ttyS0 panic=-1 {}", boot.parameters)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(place("qemu.log")).map_err(unusable)?);
    if boot.counting {
        command.args(["-icount", "shift=0,sleep=off"]);
    }
    let begun = Instant::now();
    let mut child = nice(&command)
        .spawn()
        .map_err(|error| format!("cannot start QEMU: {error}"))?;
    let broken = wait(&mut child, boot.bound)?;
    fs::remove_file(&initramfs).map_err(unusable)?;
    let read = |path: &PathBuf| {
        let bytes = fs::read(path).map_err(unusable)?;
        Ok::<_, String>(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Traces {
        console: read(&console)?,
        results: read(&results)?,
        took: begun.elapsed(),
        broken,
    })
}

fn port(path: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from("file:");
    word.push(path);
    word
}

/// The same command, giving way to others: an emulated machine takes a whole processor.
fn nice(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "5"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            nice.env(name, value);
        }
    }
    nice.stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    nice
}

fn wait(child: &mut Child, bound: Duration) -> Result<Option<String>, String> {
    let begun = Instant::now();
    let lost = |error: std::io::Error| format!("cannot wait for QEMU: {error}");
    loop {
        if let Some(status) = child.try_wait().map_err(lost)? {
            return Ok((!status.success()).then(|| format!("QEMU ended with {status}")));
        }
        if begun.elapsed() > bound {
            child.kill().map_err(lost)?;
            child.wait().map_err(lost)?;
            return Ok(Some(format!("still running after {} s", bound.as_secs())));
        }
        thread::sleep(Duration::from_millis(50));
    }
}
