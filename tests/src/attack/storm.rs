//! A tree of processes that never stands still: each lives for a moment, forks a successor and ends. When the
//! sign is given, whoever lives then tries to read the file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::kill;
use nix::unistd::{Pid, getpid};

use super::files::accomplice::{clone_with, leave};
use super::files::target::{open_and_read, wait_for};
use super::loot::Loot;
use super::slot::State;

/// How long each process lives.
const LIFE: Duration = Duration::from_millis(4);

/// What a storm is about.
pub struct Storm {
    /// One slot for each line of descent.
    pub loot: PathBuf,
    /// The file to read.
    pub on: PathBuf,
    /// The sign: when this file is there, everybody tries.
    pub sign: PathBuf,
    /// How long to go on without the sign.
    pub patience: Duration,
}

/// One line of descent; ends with an attempt.
fn descend(storm: &Storm, loot: &Loot, line: usize, root: Pid, begun: Instant) -> ! {
    let slot = loot.slot(line);
    loop {
        if storm.sign.exists() {
            slot.set_state(State::Begun);
            slot.end(&open_and_read(&storm.on, slot));
            leave();
        }
        // Without the root nobody reaps: the storm would fill the process table.
        if begun.elapsed() > storm.patience || kill(root, None).is_err() {
            leave();
        }
        std::thread::sleep(LIFE);
        // The successor goes on; a fork that fails leaves this one to go on itself.
        if clone_with(0).is_ok_and(|child| child != 0) {
            leave();
        }
    }
}

/// Starts one line of descent for each slot of the loot, and waits until all have ended.
///
/// # Errors
/// Those of mapping the loot and of starting processes.
pub fn rage(storm: &Storm) -> io::Result<usize> {
    let loot = Loot::open(&storm.loot)?;
    let (root, begun) = (getpid(), Instant::now());
    set_child_subreaper(true)?;
    for line in 0..loot.slots() {
        if clone_with(0)? == 0 {
            descend(storm, &loot, line, root, begun);
        }
    }
    while wait_for(-1).is_ok() {}
    Ok(loot.slots())
}

/// A storm on the file `on`, for at most `patience` before the sign.
#[must_use]
pub fn storm(loot: &Path, on: &Path, sign: &Path, patience: Duration) -> Storm {
    Storm {
        loot: loot.to_owned(),
        on: on.to_owned(),
        sign: sign.to_owned(),
        patience,
    }
}
