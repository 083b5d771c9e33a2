//! New files at a given rate: each is an object that the monitor has not seen, so each is an event.

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::numbered::Numbered;
use super::sample::nanos;

/// Time ahead that is slept and not spun, ns.
const SLEEP: u64 = 200_000;

/// For each line `RATE COUNT` of `orders` makes `COUNT` new files in `directory`, `RATE` a second or as fast as it can, and
/// answers with a line `made COUNT NANOSECONDS`.
///
/// # Errors
/// Those of `open`, reading and writing; `InvalidData` for a line that is no order.
pub fn obey(directory: &Path, orders: impl BufRead, mut answers: impl Write) -> io::Result<()> {
    let mut paths = Numbered::new(directory, "new-", "");
    let mut next = 0;
    for order in orders.lines() {
        let order = order?;
        let numbers: Option<Vec<u64>> = order.split_whitespace().map(|word| word.parse().ok()).collect();
        let Some([rate, count]) = numbers.as_deref() else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, order));
        };
        let took = make(&mut paths, next, (*rate).max(1), *count)?;
        next += count;
        writeln!(answers, "made {count} {}", nanos(took))?;
        answers.flush()?;
    }
    Ok(())
}

fn make(paths: &mut Numbered, first: u64, rate: u64, count: u64) -> io::Result<Duration> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
    let begun = Instant::now();
    for done in 0..count {
        let due = done * 1_000_000_000 / rate;
        loop {
            let now = nanos(begun.elapsed());
            if now >= due {
                break;
            }
            if due - now > SLEEP {
                std::thread::sleep(Duration::from_nanos(due - now));
            }
        }
        drop(open(paths.path(first + done), flags, Mode::S_IRUSR)?);
    }
    Ok(begun.elapsed())
}
