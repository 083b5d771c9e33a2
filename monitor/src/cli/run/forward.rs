//! Which signals to the supervisor are meant for the command.

use nix::{
    sys::signalfd::siginfo,
    unistd::{Pid, getpgid, getpgrp},
};
use procfs::process::Process;

/// Longest chain of parents that is followed.
const CHAIN_MAX: usize = 4_096;

/// Whether a signal that the supervisor got has to be passed on to the command `child`.
///
/// What the kernel sends for the terminal (Ctrl-C, Ctrl-\, a new window size, a hang-up) goes to a whole process group:
/// the command has had it already, unless it has made a group of its own. What a process sends is passed on, unless
/// the sender came from the command itself: a `kill 0` in there has reached the command as well, and would come back
/// to it for ever. A process elsewhere that signals the whole group makes the command see the signal twice, since
/// nothing tells that from a signal to the supervisor alone.
pub(super) fn is_for_command(info: &siginfo, child: Pid) -> bool {
    if info.ssi_code > 0 {
        return getpgid(Some(child)).is_ok_and(|group| group != getpgrp());
    }
    // A sender of another pid namespace is 0 here.
    let sender = i32::try_from(info.ssi_pid).unwrap_or(0);
    sender == 0 || !descends(sender, child.as_raw())
}

/// Whether process `pid` is `ancestor` or comes from it, as far as the chain of living parents tells.
fn descends(mut pid: i32, ancestor: i32) -> bool {
    for _ in 0..CHAIN_MAX {
        if pid == ancestor {
            return true;
        }
        let parent = Process::new(pid).and_then(|process| process.stat());
        match parent {
            Ok(stat) if stat.ppid > 1 => pid = stat.ppid,
            _ => return false,
        }
    }
    false
}
