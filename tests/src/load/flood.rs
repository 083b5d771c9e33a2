//! open + close as fast as one core can.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::numbered::c_path;

/// Opens and closes `path` for `length`, and says how often.
///
/// # Errors
/// Those of `open`.
pub fn flood(path: &Path, length: Duration) -> io::Result<u64> {
    let path = c_path(path)?;
    let begun = Instant::now();
    let mut done = 0;
    while begun.elapsed() < length {
        for _ in 0..1_000 {
            drop(open(path.as_c_str(), OFlag::O_RDONLY, Mode::empty())?);
        }
        done += 1_000;
    }
    Ok(done)
}
