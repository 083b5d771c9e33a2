//! QEMU: this host's, or Debian's unpacked under the store.

use std::path::Path;
use std::process::Command;

use super::programs;
use crate::process;

const NAME: &str = "qemu-system-x86_64";

/// The command that starts a machine, without a machine yet.
///
/// # Errors
/// A sentence, when there is no QEMU here and none can be had.
pub fn command(store: &Path) -> Result<Command, String> {
    if std::env::consts::ARCH != "x86_64" {
        return Err("machines are x86-64 ones, made on an x86-64 host".to_owned());
    }
    if let Some(program) = process::find_program(NAME) {
        return Ok(Command::new(program));
    }
    let folder = programs::ensure(store, "qemu", &["qemu-system-x86"])?;
    let mut command = programs::program(&folder, NAME);
    for place in ["usr/share/qemu", "usr/share/seabios"] {
        command.arg("-L").arg(folder.join(place));
    }
    Ok(command)
}
