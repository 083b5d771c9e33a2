//! A busy session: so many allowed acts and so many cuts a second, evenly, for so long.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::alerts::FILE;
use super::numbered::Numbered;

/// Files that are opened in turn, and are nobody's business.
const PLAIN: u64 = 2_000;
/// Files outside the scope that are opened in turn: each is an object of its own.
const FLAGGED: u64 = 20_000;
/// Acts are done in so many groups a second, with a rest after each.
const GROUPS: u64 = 200;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Allowed acts.
    pub acts: u64,
    /// Acts outside the scope.
    pub cuts: u64,
    /// In how long.
    pub took: Duration,
}

/// Opens `acts` plain files and `cuts` flagged files of `directory` a second, for `length`. A machine that cannot do that
/// many does what it can.
///
/// # Errors
/// Those of `open`.
pub fn work(directory: &Path, acts: u64, cuts: u64, length: Duration) -> io::Result<Done> {
    let mut plain = Numbered::new(directory, "plain-", "");
    let mut flagged = Numbered::new(directory, FILE.0, FILE.1);
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT;
    for number in 0..PLAIN {
        drop(open(plain.path(number), flags, Mode::S_IRUSR)?);
    }
    let mut done = Done::default();
    let begun = Instant::now();
    let gap = Duration::from_nanos(1_000_000_000 / GROUPS);
    let mut groups: u64 = 0;
    while begun.elapsed() < length {
        groups += 1;
        // Of each second's number its share, whatever does not divide evenly.
        while done.acts < acts * groups / GROUPS {
            drop(open(
                plain.path(done.acts % PLAIN),
                OFlag::O_RDONLY,
                Mode::empty(),
            )?);
            done.acts += 1;
        }
        while done.cuts < cuts * groups / GROUPS {
            drop(open(
                flagged.path(done.cuts % FLAGGED),
                flags,
                Mode::S_IRUSR | Mode::S_IWUSR,
            )?);
            done.cuts += 1;
        }
        let due = gap.saturating_mul(u32::try_from(groups).unwrap_or(u32::MAX));
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    done.took = begun.elapsed();
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::work;

    #[test]
    fn it_does_what_is_asked_for_and_no_more() {
        let directory = tempfile::tempdir().expect("make a directory");
        let done = work(directory.path(), 2_000, 100, Duration::from_millis(300)).expect("open files");
        assert!(
            done.acts > 100 && done.acts <= 2_000 && done.cuts > 5 && done.cuts <= 100,
            "{done:?}"
        );
        assert!(done.took >= Duration::from_millis(300));
    }
}
