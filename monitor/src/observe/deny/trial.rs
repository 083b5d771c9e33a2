//! Which tier works here: programs of six instructions that refuse one process, a child of our own, are attached, and
//! the child tries. A list of security modules or a version says nothing: without `bpf` in the list LSM programs load,
//! attach, and never run.
#![expect(
    unsafe_code,
    reason = "fork, and system calls in a child that must not allocate"
)]

use std::{io, os::fd::AsRawFd as _, ptr::NonNull};

use nix::{libc, unistd::pipe};

use super::{
    bpf::{self, Code, attach},
    programs::{Lacking, PROGRAMS, TRIED},
};
use crate::{observe::btf::Btf, scope::words::Tier};

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The strongest tier whose every program refused the child.
    pub tier: Option<Tier>,
    /// Why a stronger one is not it, one sentence each.
    pub why: Vec<(Tier, String)>,
}

/// Tries the tiers, the stronger first, but for those of which is known `why` not.
#[must_use]
pub fn choose(types: &Btf, mut why: Vec<(Tier, String)>) -> Choice {
    for tier in [Tier::Lsm, Tier::FmodRet] {
        if why.iter().any(|(known, _)| *known == tier) {
            continue;
        }
        match refuses(types, tier) {
            Ok(()) => {
                return Choice {
                    tier: Some(tier),
                    why,
                };
            }
            Err(reason) => why.push((tier, reason)),
        }
    }
    Choice { tier: None, why }
}

fn refuses(types: &Btf, tier: Tier) -> Result<(), String> {
    let mut child = Child::start().map_err(|error| format!("failed to run an own child: {error}"))?;
    let instructions = refusing(child.pid);
    let mut attached = Vec::new();
    let mut all = 0;
    for (bit, program) in PROGRAMS[..TRIED].iter().enumerate() {
        let name = program.name;
        let what = match program.load_as(tier, types) {
            None if program.lacking != Lacking::Tier => continue,
            what => what.ok_or_else(|| format!("this kernel has no function for {name}"))?,
        };
        all |= 1_u32 << bit;
        let code = Code {
            name,
            instructions: &instructions,
            functions: &[],
        };
        let loaded = bpf::load(&code, what, None)
            .map_err(|(error, _)| format!("this kernel refuses such programs: {error}"))?;
        let link =
            attach(&loaded).map_err(|error| format!("this kernel does not attach such programs: {error}"))?;
        attached.push(link);
    }
    let refused = child
        .go()
        .map_err(|error| format!("failed to run an own child: {error}"))?;
    drop(attached);
    match refused & all {
        whole if whole == all => Ok(()),
        0 => Err("programs load and attach, and never run".to_owned()),
        some => {
            let lacking = PROGRAMS[..TRIED]
                .iter()
                .enumerate()
                .filter(|(bit, _)| (all & !some) >> bit & 1 != 0);
            let names: Vec<_> = lacking.map(|(_, program)| program.name).collect();
            Err(format!("an own child was not refused by {}", names.join(", ")))
        }
    }
}

/// What the child is refused with: nothing else answers its acts so.
const REFUSAL: i32 = libc::EXFULL;

/// A program that refuses everything to one process, and nothing to others.
fn refusing(pid: i32) -> Vec<u8> {
    let with = |code: [u8; 4], value: i32| {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&code);
        bytes[4..].copy_from_slice(&value.to_ne_bytes());
        bytes
    };
    /// `bpf_get_current_pid_tgid`.
    const IDS: i32 = 14;
    [
        with([0x85, 0, 0, 0], IDS),
        with([0x77, 0, 0, 0], 32),
        // if (u32)r0 != pid goto +2
        with([0x56, 0, 2, 0], pid),
        with([0xb7, 0, 0, 0], -REFUSAL),
        with([0x95, 0, 0, 0], 0),
        with([0xb7, 0, 0, 0], 0),
        with([0x95, 0, 0, 0], 0),
    ]
    .concat()
}

/// A child that waits for the word to go; dead and reaped when it is dropped.
struct Child {
    pid: libc::pid_t,
    go: Option<std::os::fd::OwnedFd>,
    reaped: bool,
    /// A page that it shares: which acts were refused, a bit each.
    seen: NonNull<u32>,
}

const PAGE: usize = 4_096;

impl Child {
    fn start() -> io::Result<Self> {
        let (wait, go) = pipe()?;
        // SAFETY: a fresh page, of zeros.
        let page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let seen = NonNull::new(page.cast::<u32>()).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: between fork and _exit the child makes system calls only, over what it has inherited: it neither
        // allocates nor takes a lock, which another thread may have held when this one forked.
        match unsafe { libc::fork() } {
            -1 => {
                let error = io::Error::last_os_error();
                // SAFETY: the page of above, which nobody has.
                unsafe { libc::munmap(page, PAGE) };
                Err(error)
            }
            0 => {
                // SAFETY: as above.
                unsafe {
                    libc::close(go.as_raw_fd());
                    tries(wait.as_raw_fd(), seen)
                }
            }
            pid => Ok(Self {
                pid,
                go: Some(go),
                reaped: false,
                seen,
            }),
        }
    }

    /// Lets it go; says which acts were refused, a bit each.
    fn go(&mut self) -> io::Result<u32> {
        if let Some(go) = self.go.take() {
            nix::unistd::write(&go, b"g")?;
        }
        let mut status = 0;
        // SAFETY: our own child, and a place for its status.
        if unsafe { libc::waitpid(self.pid, &raw mut status, 0) } != self.pid {
            return Err(io::Error::last_os_error());
        }
        self.reaped = true;
        if libc::WIFEXITED(status) {
            // SAFETY: the child, which wrote there, is gone.
            Ok(unsafe { self.seen.as_ptr().read_volatile() })
        } else {
            Err(io::Error::other("it was killed"))
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: our own child, not reaped yet, so that its id is still its own; and our own page.
        unsafe {
            if !self.reaped {
                libc::kill(self.pid, libc::SIGKILL);
                libc::waitpid(self.pid, std::ptr::null_mut(), 0);
            }
            libc::munmap(self.seen.as_ptr().cast(), PAGE);
        }
    }
}

/// One act for each program, in their order. Where one is not refused, it does nothing: it fails by itself, or changes
/// what only the child has.
///
/// # Safety
/// Only in a child that was just forked, which has this descriptor and this page.
unsafe fn tries(wait: i32, seen: NonNull<u32>) -> ! {
    const ADDRESS: libc::socklen_t = 16;
    const _: () = assert!(ADDRESS as usize == size_of::<libc::sockaddr_in>());
    /// The number under which the child has a file in memory.
    const MEMORY: i32 = 200;
    const MEMORY_PATH: &std::ffi::CStr = c"/proc/self/fd/200";
    // SAFETY: system calls over own memory.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // Made before anything is refused.
        let inet = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        let mut pair = [-1; 2];
        libc::socketpair(
            libc::AF_UNIX,
            libc::SOCK_STREAM | libc::SOCK_CLOEXEC,
            0,
            pair.as_mut_ptr(),
        );
        let own = libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0);
        libc::dup2(libc::memfd_create(c"trial".as_ptr(), libc::MFD_CLOEXEC), MEMORY);
        let mut byte = 0_u8;
        if libc::read(wait, (&raw mut byte).cast(), 1) != 1 {
            libc::_exit(0);
        }
        let refused = |bit: u32, failed: bool| {
            let so = failed && *libc::__errno_location() == REFUSAL;
            let page = seen.as_ptr();
            page.write_volatile(page.read_volatile() | u32::from(so) << bit);
        };
        refused(0, libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) < 0);
        let mut to: libc::sockaddr_in = std::mem::zeroed();
        to.sin_family = 2;
        // The discard port of this host, where nobody is harmed.
        to.sin_port = 9_u16.to_be();
        to.sin_addr.s_addr = libc::INADDR_LOOPBACK.to_be();
        refused(2, libc::connect(inet, (&raw const to).cast(), ADDRESS) < 0);
        refused(
            3,
            libc::send(pair[0], (&raw const byte).cast(), 1, libc::MSG_NOSIGNAL) < 0,
        );
        refused(4, libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) < 0);
        refused(5, libc::syscall(libc::SYS_pidfd_getfd, own, pair[0], 0) < 0);
        let mapped = libc::mmap(
            std::ptr::null_mut(),
            PAGE,
            libc::PROT_READ | libc::PROT_EXEC,
            libc::MAP_PRIVATE,
            MEMORY,
            0,
        );
        refused(6, mapped == libc::MAP_FAILED);
        // Nothing can be removed or renamed in /proc.
        refused(7, libc::unlink(c"/proc/self/exe".as_ptr()) < 0);
        refused(8, libc::rmdir(c"/proc/self/fd".as_ptr()) < 0);
        refused(
            9,
            libc::rename(c"/proc/self/exe".as_ptr(), c"/proc/self/cwd".as_ptr()) < 0,
        );
        refused(10, libc::truncate(MEMORY_PATH.as_ptr(), 0) < 0);
        refused(11, libc::fchmod(pair[0], 0o600) < 0);
        refused(12, libc::fchown(pair[0], libc::uid_t::MAX, libc::gid_t::MAX) < 0);
        let name = c"trusted.scopeward".as_ptr();
        refused(
            13,
            libc::fsetxattr(MEMORY, name, (&raw const byte).cast(), 1, 0) < 0,
        );
        refused(14, libc::fremovexattr(MEMORY, name) < 0);
        // Where it is not refused, the program starts, says its version to nobody and ends with 0.
        libc::close(1);
        libc::close(2);
        let words = [c"scopeward".as_ptr(), c"--version".as_ptr(), std::ptr::null()];
        let environment = [std::ptr::null()];
        let failed = libc::execve(c"/proc/self/exe".as_ptr(), words.as_ptr(), environment.as_ptr()) < 0;
        refused(1, failed);
        libc::_exit(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_is_chosen_only_where_it_refuses() {
        let Ok(types) = Btf::read(std::path::Path::new(Btf::KERNEL)) else {
            println!("skipped: this kernel shows no BTF");
            return;
        };
        let choice = choose(&types, Vec::new());
        println!("{choice:?}");
        // Each tier is either it, or has its reason.
        assert_eq!(
            choice.why.len(),
            match choice.tier {
                Some(Tier::Lsm) => 0,
                Some(_) => 1,
                None => 2,
            }
        );
    }
}
