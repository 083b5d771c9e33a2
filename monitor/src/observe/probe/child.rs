//! The self-test: an own child in a session of its own has a child, which connects and opens a guarded file. What the
//! scope forbids must not come to pass.

use std::{
    ffi::CString,
    fs::File,
    io::{self, ErrorKind, Read as _},
    os::{
        fd::{AsFd as _, AsRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

use nix::{
    libc,
    poll::{PollFd, PollFlags, poll},
    unistd::pipe,
};
use scopeward_abi::{
    member::{Member, Session, mode, state},
    object::{Match, ObjectKey, role},
    policy::{Entry, EntryKey, Policy, response},
};

use crate::observe::{fanotify::Devices, load::Kernel, maps::MapsError, memberships};

/// The one policy, session and rule of the test.
const POLICY: u32 = 1;
const SESSION: u64 = 1;
const REFUSES: u32 = 1;
const KILLS: u32 = 2;
/// Longest wait for the child, in ms: it blocks nowhere.
const WAIT_MS: u16 = 5_000;
/// What the child reports where the open came back.
const OPENED: u8 = 0xff;

/// Where the lowest byte of a number stands.
const LOW: usize = if cfg!(target_endian = "little") { 0 } else { 3 };
const FAMILY: libc::sa_family_t = 2;
const LEN: libc::socklen_t = 16;
const _: () = assert!(FAMILY as i32 == libc::AF_INET && LEN as usize == size_of::<libc::sockaddr_in>());

/// What the child of the child came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// `errno` of the connect; 0 where it went through.
    pub(super) connect: u8,
    /// The open came back, and the process went on with its descriptor.
    pub(super) opened: bool,
    /// The signal that ended it; 0 for none.
    pub(super) signal: u8,
}

impl Seen {
    pub(super) fn was_refused(&self) -> bool {
        i32::from(self.connect) == libc::EPERM
    }

    pub(super) fn was_killed(&self) -> bool {
        !self.opened && i32::from(self.signal) == libc::SIGKILL
    }
}

/// Why it could not be tried.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrialError {
    #[error("fill the maps: {0}")]
    Maps(#[from] MapsError),
    #[error("run an own child: {0}")]
    Child(#[from] io::Error),
}

/// Tries it with a file made in `dir`, which is gone afterwards.
pub(super) fn trial(kernel: &mut Kernel, dir: &Path) -> Result<Seen, TrialError> {
    let path = dir.join("self-test");
    let file = File::create_new(&path)?;
    let seen = with_file(kernel, &file, &path);
    // It was made a moment ago, by us.
    drop(std::fs::remove_file(&path));
    seen
}

fn with_file(kernel: &mut Kernel, file: &File, path: &Path) -> Result<Seen, TrialError> {
    let (inode, (major, minor)) = Devices::default().identity(file.as_fd())?;
    let maps = &mut kernel.maps;
    for (entry, response) in [(REFUSES, response::DENY), (KILLS, response::KILL)] {
        maps.set_entry(
            EntryKey {
                policy: POLICY,
                entry,
            },
            Entry {
                response,
                ..Entry::default()
            },
        )?;
    }
    let key = ObjectKey {
        inode,
        dev: major << 20 | minor,
        ns: POLICY,
        role: role::LEAF,
        pad: 0,
    };
    maps.set_object(
        key,
        Match {
            read: KILLS,
            write: KILLS,
            read_rank: 1,
            write_rank: 1,
            ..Match::default()
        },
    )?;
    let policy = Policy {
        generation: 1,
        net_default: REFUSES,
        ..Policy::default()
    };
    maps.set_policy(POLICY, policy)?;
    let session = Session {
        policy: POLICY,
        generation: 1,
        mode: mode::ENFORCE,
        state: state::RUNNING,
        ..Session::default()
    };
    maps.set_session(SESSION, session)?;
    let path = CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)?;
    let child = Child::start(&path)?;
    let member = Member {
        session: SESSION,
        // The programs hold a membership to the process that it was given to.
        cookie: memberships::started(child.pid.unsigned_abs())
            .ok_or_else(|| io::Error::from(ErrorKind::NotFound))?,
        policy: POLICY,
        ..Member::default()
    };
    let enrolled = maps.set_member(child.pid.unsigned_abs(), member);
    let seen = enrolled.map_err(TrialError::from).and_then(|()| Ok(child.go()?));
    maps.remove_member(child.pid.unsigned_abs());
    seen
}

/// A child that waits for the word to go; dead and reaped when it is dropped.
struct Child {
    pid: libc::pid_t,
    go: Option<OwnedFd>,
    reports: File,
}

impl Child {
    fn start(path: &CString) -> io::Result<Self> {
        let (wait, go) = pipe()?;
        let (reports, report) = pipe()?;
        // SAFETY: between fork and _exit the child makes system calls only, over what it has inherited: neither
        // allocates nor takes a lock, which another thread may have held when this one forked.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                // SAFETY: as above.
                unsafe {
                    libc::close(go.as_raw_fd());
                    root(wait.as_raw_fd(), report.as_raw_fd(), path)
                }
            }
            pid => Ok(Self {
                pid,
                go: Some(go),
                reports: reports.into(),
            }),
        }
    }

    /// Lets it go, and hears what it came to.
    fn go(&self) -> io::Result<Seen> {
        let go = self.go.as_ref().ok_or(ErrorKind::BrokenPipe)?;
        nix::unistd::write(go, b"g")?;
        let mut said = Vec::new();
        let mut reports = &self.reports;
        loop {
            let mut waiting = [PollFd::new(reports.as_fd(), PollFlags::POLLIN)];
            if poll(&mut waiting, WAIT_MS)? == 0 {
                return Err(io::Error::new(ErrorKind::TimedOut, "it did not end"));
            }
            let mut byte = [0; 8];
            let len = reports.read(&mut byte)?;
            said.extend_from_slice(&byte[..len]);
            // The connect, perhaps the open, and how it ended.
            let whole = match said.as_slice() {
                [_, OPENED, _] => true,
                [_, second] => *second != OPENED,
                _ => len == 0,
            };
            if whole {
                break;
            }
        }
        match said.as_slice() {
            [connect, OPENED, signal] => Ok(Seen {
                connect: *connect,
                opened: true,
                signal: *signal,
            }),
            [connect, signal] => Ok(Seen {
                connect: *connect,
                opened: false,
                signal: *signal,
            }),
            _ => Err(io::Error::new(ErrorKind::UnexpectedEof, "it said too little")),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.go = None;
        // SAFETY: our own child, not reaped yet, so that its id is still its own.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

/// The root of the session: waits, forks, and tells how its child ended.
///
/// # Safety
/// Only in a child that was just forked, which has these descriptors.
unsafe fn root(wait: i32, report: i32, path: &CString) -> ! {
    // SAFETY: system calls over own memory.
    unsafe {
        let mut byte = 0_u8;
        if libc::read(wait, (&raw mut byte).cast(), 1) != 1 {
            libc::_exit(1);
        }
        let child = libc::fork();
        if child == 0 {
            actor(report, path);
        }
        let mut status = 0;
        let ended = child > 0 && libc::waitpid(child, &raw mut status, 0) == child;
        // A signal's number is in the lower seven bits.
        let signal = if ended {
            status.to_ne_bytes()[LOW] & 0x7f
        } else {
            0xfe
        };
        libc::write(report, (&raw const signal).cast(), 1);
        libc::_exit(0)
    }
}

/// What the scope forbids: a connect (to the discard port of this host, where nobody is harmed), and an open.
///
/// # Safety
/// As [`root`].
unsafe fn actor(report: i32, path: &CString) -> ! {
    // SAFETY: system calls over own memory.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let mut to: libc::sockaddr_in = std::mem::zeroed();
        to.sin_family = FAMILY;
        to.sin_port = 9_u16.to_be();
        to.sin_addr.s_addr = libc::INADDR_LOOPBACK.to_be();
        let len = LEN;
        let failed = libc::connect(socket, (&raw const to).cast(), len) != 0;
        let error = if failed {
            (*libc::__errno_location()).to_ne_bytes()[LOW]
        } else {
            0
        };
        libc::write(report, (&raw const error).cast(), 1);
        if libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) >= 0 {
            let opened = OPENED;
            libc::write(report, (&raw const opened).cast(), 1);
        }
        libc::_exit(0)
    }
}
