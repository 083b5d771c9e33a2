//! The smallest program: a static executable that exits with 0, so that fork + exec is measured and not a loader.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// `exit(0)`, and the number that names the machine in an ELF header.
#[cfg(target_arch = "x86_64")]
const MACHINE: (u16, &[u8]) = (62, &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]);
#[cfg(target_arch = "aarch64")]
const MACHINE: (u16, &[u8]) = (183, &[0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 0x01, 0, 0, 0xd4]);

/// Where the file is mapped, and how long its two headers are.
const BASE: u64 = 0x40_0000;
const HEADERS: u16 = 64 + 56;

/// The file's bytes: an ELF header, one program header (`include/uapi/linux/elf.h`), the code.
#[must_use]
pub fn image() -> Vec<u8> {
    let (machine, code) = MACHINE;
    let length = u64::from(HEADERS) + code.len() as u64;
    let mut image = b"\x7fELF\x02\x01\x01".to_vec();
    image.resize(16, 0);
    let half = |image: &mut Vec<u8>, value: u16| image.extend(value.to_le_bytes());
    let word = |image: &mut Vec<u8>, value: u32| image.extend(value.to_le_bytes());
    let long = |image: &mut Vec<u8>, value: u64| image.extend(value.to_le_bytes());
    half(&mut image, 2); // an executable at a fixed address
    half(&mut image, machine);
    word(&mut image, 1);
    long(&mut image, BASE + u64::from(HEADERS)); // entry
    long(&mut image, 64); // program headers
    long(&mut image, 0); // no section headers
    word(&mut image, 0);
    for value in [64, 56, 1, 0, 0, 0] {
        half(&mut image, value);
    }
    word(&mut image, 1); // to be loaded,
    word(&mut image, 5); // read and executed
    for value in [0, BASE, BASE, length, length, 0x1000] {
        long(&mut image, value);
    }
    image.extend(code);
    image
}

/// Writes the program to `path`.
///
/// # Errors
/// Those of writing.
pub fn write(path: &Path) -> io::Result<()> {
    std::fs::write(path, image())?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_runs_and_ends_with_0() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tiny");
        super::write(&path).unwrap();
        assert!(std::process::Command::new(path).status().unwrap().success());
    }
}
