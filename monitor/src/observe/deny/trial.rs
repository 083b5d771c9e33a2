//! Which tier works here: programs of six instructions that refuse one process, a child of our own, are attached, and
//! the child tries. A list of security modules or a version says nothing: without `bpf` in the list LSM programs load,
//! attach, and never run.
#![expect(
    unsafe_code,
    reason = "fork, and system calls in a child that must not allocate"
)]

use std::{io, os::fd::AsRawFd as _};

use nix::{libc, unistd::pipe};

use super::{
    bpf::{self, Code, attach},
    programs::{PROGRAMS, TRIED},
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

/// Tries the tiers, the stronger first.
#[must_use]
pub fn choose(types: &Btf) -> Choice {
    let mut why = Vec::new();
    for tier in [Tier::Lsm, Tier::FmodRet] {
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

/// All five acts of the child.
const ALL: i32 = (1 << TRIED) - 1;

fn refuses(types: &Btf, tier: Tier) -> Result<(), String> {
    let mut child = Child::start().map_err(|error| format!("failed to run an own child: {error}"))?;
    let instructions = refusing(child.pid);
    let mut attached = Vec::new();
    for program in &PROGRAMS[..TRIED] {
        let name = program.name;
        let what = program
            .load_as(tier, types)
            .ok_or_else(|| format!("this kernel has no function for {name}"))?;
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
    match refused {
        ALL => Ok(()),
        0 => Err("programs load and attach, and never run".to_owned()),
        some => {
            let lacking = PROGRAMS[..TRIED]
                .iter()
                .enumerate()
                .filter(|(bit, _)| some >> bit & 1 == 0);
            let names: Vec<_> = lacking.map(|(_, program)| program.name).collect();
            Err(format!("an own child was not refused by {}", names.join(", ")))
        }
    }
}

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
        with([0xb7, 0, 0, 0], -libc::EPERM),
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
}

impl Child {
    fn start() -> io::Result<Self> {
        let (wait, go) = pipe()?;
        // SAFETY: between fork and _exit the child makes system calls only, over what it has inherited: it neither
        // allocates nor takes a lock, which another thread may have held when this one forked.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                // SAFETY: as above.
                unsafe {
                    libc::close(go.as_raw_fd());
                    tries(wait.as_raw_fd())
                }
            }
            pid => Ok(Self {
                pid,
                go: Some(go),
                reaped: false,
            }),
        }
    }

    /// Lets it go; says which acts were refused, a bit each.
    fn go(&mut self) -> io::Result<i32> {
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
            Ok(libc::WEXITSTATUS(status))
        } else {
            Err(io::Error::other("it was killed"))
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        // SAFETY: our own child, not reaped yet, so that its id is still its own.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

/// One act for each program, in their order.
///
/// # Safety
/// Only in a child that was just forked, which has this descriptor.
unsafe fn tries(wait: i32) -> ! {
    const ADDRESS: libc::socklen_t = 16;
    const _: () = assert!(ADDRESS as usize == size_of::<libc::sockaddr_in>());
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
        let mut byte = 0_u8;
        if libc::read(wait, (&raw mut byte).cast(), 1) != 1 {
            libc::_exit(0);
        }
        let refused = |failed: bool| i32::from(failed && *libc::__errno_location() == libc::EPERM);
        let mut seen = refused(libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) < 0);
        let mut to: libc::sockaddr_in = std::mem::zeroed();
        to.sin_family = 2;
        // The discard port of this host, where nobody is harmed.
        to.sin_port = 9_u16.to_be();
        to.sin_addr.s_addr = libc::INADDR_LOOPBACK.to_be();
        seen |= refused(libc::connect(inet, (&raw const to).cast(), ADDRESS) < 0) << 2;
        let sent = libc::send(pair[0], (&raw const byte).cast(), 1, libc::MSG_NOSIGNAL);
        seen |= refused(sent < 0) << 3;
        seen |= refused(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) < 0) << 4;
        // Where it is not refused, the program starts, says its version to nobody and ends with 0.
        libc::close(1);
        libc::close(2);
        let words = [c"scopeward".as_ptr(), c"--version".as_ptr(), std::ptr::null()];
        let environment = [std::ptr::null()];
        let failed = libc::execve(c"/proc/self/exe".as_ptr(), words.as_ptr(), environment.as_ptr()) < 0;
        seen |= refused(failed) << 1;
        libc::_exit(seen)
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
        let choice = choose(&types);
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
