//! The Rust files of the checkout, for the checks that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file of the checkout.
pub struct Source {
    /// Relative to the checkout's root.
    pub path: PathBuf,
    pub text: String,
}

/// All Rust files below `folder` of the checkout at `root`, sorted by path; build output is left out.
///
/// # Errors
/// A sentence, when a file or folder cannot be read.
pub fn files(root: &Path, folder: &str) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    let mut waiting = vec![root.join(folder)];
    while let Some(path) = waiting.pop() {
        let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
        if path.is_dir() {
            for entry in fs::read_dir(&path).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                if entry.file_name() != "target" {
                    waiting.push(entry.path());
                }
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(unreadable)?;
            found.push(Source {
                path: path.strip_prefix(root).unwrap_or(&path).to_path_buf(),
                text,
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
