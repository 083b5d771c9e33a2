//! The page on disk: whole or not at all, and never through somebody else's link.

use std::io::Write;
use std::path::Path;

/// Writes `page` to `path`, in place of a file that is there.
///
/// # Errors
/// What the filesystem says.
pub fn write_file(path: &Path, page: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    file.write_all(page.as_bytes())?;
    file.flush()
}
