//! Cuts of which each is the first of its object, with the time just before the system call.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::numbered::Numbered;
use super::sample::nanos;

/// What the files begin with, and end with.
pub const FILE: (&str, &str) = ("alert-", ".flagged");

/// Opens `count` files of `directory`, one every `gap`; nanoseconds since 1970 just before each call.
///
/// # Errors
/// Those of `open`.
pub fn raise(directory: &Path, count: u64, gap: Duration) -> io::Result<Vec<u64>> {
    let mut paths = Numbered::new(directory, FILE.0, FILE.1);
    let mut times = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for number in 0..count {
        std::thread::sleep(gap);
        let path = paths.path(number);
        let now = SystemTime::now();
        let opened = open(path, OFlag::O_RDONLY, Mode::empty())?;
        times.push(nanos(now.duration_since(UNIX_EPOCH).unwrap_or_default()));
        drop(opened);
    }
    Ok(times)
}
