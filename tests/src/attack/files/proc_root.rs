//! Reads the file through `/proc/self/root`.

use std::io;
use std::path::{Path, PathBuf};

use super::target::{FileTarget, open_and_read};
use crate::attack::slot::Slot;

/// Opens and reads the path behind the process's own root link.
///
/// # Errors
/// Those of open and read.
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let below_root = target.path.strip_prefix("/").map_err(io::Error::other)?;
    let alias: PathBuf = Path::new("/proc/self/root").join(below_root);
    open_and_read(&alias, slot)
}
