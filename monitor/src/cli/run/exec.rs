//! The child between fork and exec. Only system calls here: another thread of the parent may have held any lock at the
//! fork, so nothing may allocate, print or panic (signal-safety(7)).

use std::os::fd::RawFd;

use nix::libc::{self, c_int, gid_t, pid_t, uid_t};

use super::program::{Pointers, SHELL};

/// What the child tells: how far it came, and the error number where it came no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It runs as the right user, and waits.
    Ready,
    /// It could not become the user.
    User(c_int),
    /// The program could not be executed.
    Exec(c_int),
}

/// The bytes of one [`Step`].
pub(super) const TOLD: usize = 8;

impl Step {
    pub(super) const fn bytes(self) -> [u8; TOLD] {
        let (step, errno): (u8, c_int) = match self {
            Self::Ready => (0, 0),
            Self::User(errno) => (1, errno),
            Self::Exec(errno) => (2, errno),
        };
        let [a, b, c, d] = errno.to_ne_bytes();
        [step, 0, 0, 0, a, b, c, d]
    }

    pub(super) const fn read(bytes: [u8; TOLD]) -> Self {
        let [step, _, _, _, a, b, c, d] = bytes;
        let errno = c_int::from_ne_bytes([a, b, c, d]);
        match step {
            0 => Self::Ready,
            1 => Self::User(errno),
            _ => Self::Exec(errno),
        }
    }
}

/// Ids to take on.
pub(super) struct Ids<'p> {
    pub(super) uid: uid_t,
    pub(super) gid: gid_t,
    pub(super) groups: &'p [gid_t],
}

/// All that the child needs.
pub(super) struct Plan<'p> {
    /// What is executed.
    pub(super) program: Pointers<'p>,
    /// As whom, where not as the parent.
    pub(super) ids: Option<Ids<'p>>,
    /// The parent's process id, where the child is to die with it.
    pub(super) dies_with: Option<pid_t>,
    /// One byte comes here once it may run; its end without one means that the parent is gone.
    pub(super) hold: RawFd,
    /// Where the child tells its steps; closed by the exec.
    pub(super) report: RawFd,
    /// The parent's ends of both, which would keep them open.
    pub(super) parents: [RawFd; 2],
    /// The signal mask to start with.
    pub(super) mask: libc::sigset_t,
    /// Whether `SIGCHLD` is to be ignored.
    pub(super) ignore_child: bool,
}

/// Becomes the program of `plan` once it is released.
///
/// # Safety
/// Only in a process that has just been forked.
pub(super) unsafe fn become_program(plan: &mut Plan<'_>) -> ! {
    // SAFETY: system calls only, on descriptors of this process and on memory that the plan keeps alive; none of it
    // returns into code of the parent.
    unsafe {
        for fd in plan.parents {
            libc::close(fd);
        }
        if let Some(ids) = &plan.ids
            && let Err(errno) = take_on(ids)
        {
            tell(plan.report, Step::User(errno));
            libc::_exit(126);
        }
        if let Some(parent) = plan.dies_with {
            // After the change of ids, which clears it; so does the exec of a set-user-id program (prctl(2)).
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != parent {
                libc::_exit(126);
            }
        }
        // The Rust runtime ignores it in the parent, and that would outlive the exec.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        if plan.ignore_child {
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        }
        tell(plan.report, Step::Ready);
        if !released(plan.hold) {
            libc::_exit(126);
        }
        libc::sigprocmask(libc::SIG_SETMASK, &raw const plan.mask, std::ptr::null_mut());
        let errno = execute(&mut plan.program);
        tell(plan.report, Step::Exec(errno));
        libc::_exit(126)
    }
}

/// # Safety
/// As [`become_program`].
unsafe fn take_on(ids: &Ids<'_>) -> Result<(), c_int> {
    // SAFETY: the list of groups is as long as said.
    let done = unsafe {
        libc::setgroups(ids.groups.len(), ids.groups.as_ptr()) == 0
            && libc::setresgid(ids.gid, ids.gid, ids.gid) == 0
            && libc::setresuid(ids.uid, ids.uid, ids.uid) == 0
    };
    if done { Ok(()) } else { Err(errno()) }
}

/// Waits for the byte. False where the parent is gone.
fn released(hold: RawFd) -> bool {
    let mut byte = 0_u8;
    loop {
        // SAFETY: one byte is read into one byte.
        match unsafe { libc::read(hold, (&raw mut byte).cast(), 1) } {
            1 => return true,
            -1 if errno() == libc::EINTR => {}
            _ => return false,
        }
    }
}

/// Tries every place, as `execvp` does. Returns only with the error number.
///
/// # Safety
/// The pointers are of a program that is alive.
unsafe fn execute(program: &mut Pointers<'_>) -> c_int {
    let mut found = libc::ENOENT;
    for place in program.candidates {
        // SAFETY: strings that end in zero, lists that end in null.
        unsafe { libc::execve(place.as_ptr(), program.argv.as_ptr(), program.env.as_ptr()) };
        match errno() {
            libc::ENOENT | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
            libc::ENOTDIR if found == libc::ENOENT => found = libc::ENOTDIR,
            libc::ENOTDIR => {}
            // It is there and may not be run; a later one may.
            libc::EACCES => found = libc::EACCES,
            libc::ENOEXEC => {
                if let Some(script) = program.script.get_mut(1) {
                    *script = place.as_ptr();
                }
                // SAFETY: as above.
                unsafe {
                    libc::execve(SHELL.as_ptr(), program.script.as_ptr(), program.env.as_ptr());
                }
                return errno();
            }
            other => return other,
        }
    }
    found
}

fn tell(report: RawFd, step: Step) {
    let bytes = step.bytes();
    // A pipe takes so few bytes at once or not at all; where nobody listens any more there is nobody to tell.
    // SAFETY: the bytes are there.
    unsafe { libc::write(report, bytes.as_ptr().cast(), TOLD) };
}

fn errno() -> c_int {
    nix::errno::Errno::last_raw()
}
