//! From a system call to the death of the process that made it.

use std::ffi::CString;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{ForkResult, fork};

use super::numbered::c_path;

/// How the processes ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deaths {
    /// Nanoseconds from just before the call to the parent's knowledge of the death, for each that was killed.
    pub nanos: Vec<u64>,
    /// How many were not killed.
    pub survived: u64,
    /// In how many the call returned to the process.
    pub returned: u64,
}

/// What child and parent share.
#[repr(C)]
struct Shared {
    called: AtomicU64,
    returned: AtomicU64,
}

/// Starts `trials` children one after the other, each of which opens `path`; without a path each kills itself, which is
/// what dying takes with no monitor.
///
/// # Errors
/// Those of `mmap`, `fork`, `waitpid`.
pub fn count(path: Option<&Path>, trials: usize) -> io::Result<Deaths> {
    let path = path.map(c_path).transpose()?;
    let length = NonZeroUsize::MIN.saturating_add(size_of::<Shared>());
    // SAFETY: a new mapping of no file.
    let page = unsafe {
        mmap_anonymous(
            None,
            length,
            ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
            MapFlags::MAP_SHARED,
        )
    }?;
    // SAFETY: the mapping is page-aligned, longer than the struct, zeroed, and lives until the end of this function.
    let shared = unsafe { page.cast::<Shared>().as_ref() };
    let mut deaths = Deaths {
        nanos: Vec::with_capacity(trials),
        ..Deaths::default()
    };
    for _ in 0..trials {
        shared.returned.store(0, Ordering::SeqCst);
        // SAFETY: the child only calls functions that are safe after a fork.
        match unsafe { fork() }? {
            ForkResult::Child => provoke(shared, path.as_ref()),
            ForkResult::Parent { child } => {
                let ended = waitpid(child, None)?;
                let now = monotonic();
                if let WaitStatus::Signaled(_, Signal::SIGKILL, _) = ended {
                    deaths
                        .nanos
                        .push(now.saturating_sub(shared.called.load(Ordering::SeqCst)));
                } else {
                    deaths.survived += 1;
                }
                deaths.returned += shared.returned.load(Ordering::SeqCst);
            }
        }
    }
    // SAFETY: nothing refers to the mapping any more.
    unsafe { munmap(page, length.get()) }?;
    Ok(deaths)
}

fn provoke(shared: &Shared, path: Option<&CString>) -> ! {
    shared.called.store(monotonic(), Ordering::SeqCst);
    // SAFETY: system calls with a string that ends with a zero, and numbers.
    unsafe {
        match path {
            Some(path) => libc::open(path.as_ptr(), libc::O_RDONLY),
            None => libc::kill(libc::getpid(), libc::SIGKILL),
        };
        shared.returned.store(1, Ordering::SeqCst);
        libc::_exit(3)
    }
}

fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| {
        time.tv_sec() as i128 * 1_000_000_000 + i128::from(time.tv_nsec())
    });
    u64::try_from(now).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn those_who_kill_themselves_die_and_others_do_not() {
        let deaths = count(None, 5).unwrap();
        assert_eq!((deaths.nanos.len(), deaths.survived, deaths.returned), (5, 0, 0));
        assert!(
            deaths
                .nanos
                .iter()
                .all(|nanos| (1..1_000_000_000).contains(nanos))
        );
        let deaths = count(Some("/dev/null".as_ref()), 5).unwrap();
        assert_eq!((deaths.nanos.len(), deaths.survived, deaths.returned), (0, 5, 5));
    }
}
