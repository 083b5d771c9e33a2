//! Does the tier hold here? Tried on a file of our own, with an opener of our own.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;

use nix::poll::{PollFd, PollFlags, poll};

use super::arbiter::Answer;
use super::raw::{self, Group, OPENS};
use super::state::FanotifyError;

/// Longest wait for the question, in ms. Nobody but our own thread waits meanwhile.
const WAIT_MS: u16 = 2_000;

/// Opens both groups, asks about the opens of a file that it makes in `dir`, and refuses one. The file is gone
/// afterwards, and so are the groups.
///
/// # Errors
/// [`FanotifyError`] where a group cannot be had, or the open was not refused.
pub fn trial(dir: &Path) -> Result<(), FanotifyError> {
    let asking = Group::permission().map_err(FanotifyError::Permission)?;
    Group::notification().map_err(FanotifyError::Notification)?;
    let path = dir.join("fanotify-trial");
    let refused = refuse(asking, &path);
    // Where it could not even be made there is nothing to remove.
    drop(fs::remove_file(&path));
    refused.map_err(FanotifyError::Trial)
}

fn refuse(asking: Group, path: &Path) -> io::Result<()> {
    let file = File::create_new(path)?;
    asking.add(file.as_fd(), OPENS)?;
    let wanted = path.to_owned();
    let opener = thread::Builder::new().spawn(move || File::open(wanted))?;
    let answered = answer(&asking);
    // The last descriptor of the group lets everybody go who still waits: the opener ends in any case.
    drop(asking);
    let opened = opener
        .join()
        .map_err(|_| io::Error::other("the opener panicked"))?;
    answered?;
    match opened {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other("the open succeeded although it was refused")),
    }
}

/// Answers the one question that is expected.
fn answer(asking: &Group) -> io::Result<()> {
    let mut waiting = [PollFd::new(asking.as_fd(), PollFlags::POLLIN)];
    if poll(&mut waiting, WAIT_MS)? == 0 {
        return Err(io::Error::new(ErrorKind::TimedOut, "nobody was asked about it"));
    }
    let mut buffer = [0; 4096];
    let len = asking.read(&mut buffer)?;
    let head = buffer.get(..len).and_then(raw::head);
    let head = head.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the event could not be read"))?;
    let event = raw::event_fd(head);
    asking.answer(head.fd, Answer::Deny)?;
    drop(event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_is_refused_where_this_host_can() {
        let dir = tempfile::tempdir().unwrap();
        match trial(dir.path()) {
            Ok(()) => {}
            Err(FanotifyError::Permission(error)) => println!("skipped: no fanotify here: {error}"),
            Err(error) => panic!("{error}"),
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
    }
}
