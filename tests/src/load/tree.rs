//! A tree of files read to the end, as a search through a repository does.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Reads every file below `directory`, and says how many there were.
///
/// # Errors
/// Those of reading.
pub fn read(directory: &Path) -> io::Result<u64> {
    let mut buffer = vec![0; 64 << 10];
    let mut waiting = vec![directory.to_path_buf()];
    let mut files = 0;
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
                continue;
            }
            let mut file = File::open(entry.path())?;
            while file.read(&mut buffer)? > 0 {}
            files += 1;
        }
    }
    Ok(files)
}
