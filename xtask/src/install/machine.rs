//! The machine: emulated, with a disk, a console and a port for the results; it may boot again.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::image::System;
use crate::vm::{qemu, store};

/// After this it is ended: everything is emulated, and the host may be busy.
const BOUND: Duration = Duration::from_secs(40 * 60);

/// What the machine left.
pub struct Said {
    /// The lines of the test.
    pub results: String,
    /// How long it ran.
    pub took: Duration,
}

/// Runs the machine to its end.
///
/// # Errors
/// A sentence, when QEMU cannot be had, or the machine does not end.
pub fn run(root: &Path, folder: &Path, system: &System) -> Result<Said, String> {
    let store = store::directory(root);
    let unusable = |error: std::io::Error| format!("cannot use {}: {error}", folder.display());
    let [console, results] = ["console.log", "results.log"].map(|name| folder.join(name));
    let port = |path: &Path| format!("file:{}", path.display());
    let mut command = qemu::command(&store)?;
    command
        .args([
            "-machine",
            "q35",
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            system.processor,
            "-smp",
            "2",
            "-m",
            "1536",
        ])
        .args(["-nodefaults", "-no-user-config", "-display", "none"])
        .args(["-serial", &port(&console), "-serial", &port(&results)])
        .args([
            "-drive",
            &format!("file={},format=raw,if=virtio,cache=unsafe", system.disk.display()),
        ])
        .arg("-kernel")
        .arg(&system.kernel)
        .arg("-initrd")
        .arg(&system.initrd)
        .args(["-append", "root=/dev/vda rw console=ttyS0 panic=10 quiet"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("qemu.log")).map_err(unusable)?);
    eprintln!("install-test: the console is {}", console.display());
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot start QEMU: {error}"))?;
    let lost = |error: std::io::Error| format!("cannot wait for QEMU: {error}");
    while child.try_wait().map_err(lost)?.is_none() {
        if begun.elapsed() > BOUND {
            child.kill().and_then(|()| child.wait()).map_err(lost)?;
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    let results = fs::read(&results).map_err(unusable)?;
    Ok(Said {
        results: String::from_utf8_lossy(&results).replace('\r', ""),
        took: begun.elapsed(),
    })
}
