//! Counts executed instructions per system call, in a machine whose time stamp counter counts instructions (`cargo xtask vm
//! --count`). `count WHERE` writes one line `count {"where": …, "calls": {CALL: INSTRUCTIONS}}`.

use std::arch::x86_64::_rdtsc;
use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};

use nix::libc;

/// Batches of which the median is taken: an interrupt disturbs some.
const BATCHES: usize = 41;

/// The counter.
fn now() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and Linux allows it.
    unsafe { _rdtsc() }
}

/// The median number of instructions of one `act`, over batches of `each`.
fn per_act(each: u64, mut act: impl FnMut()) -> u64 {
    // The first makes caches, and what is told once for each object.
    act();
    let mut batches: Vec<u64> = (0..BATCHES)
        .map(|_| {
            let begun = now();
            for _ in 0..each {
                act();
            }
            (now() - begun) / each
        })
        .collect();
    batches.sort_unstable();
    batches[BATCHES / 2]
}

/// A loop of two instructions, `rounds` times: says whether the counter counts instructions.
fn known(rounds: u64) -> u64 {
    let begun = now();
    // SAFETY: counts a register down, touches no memory.
    unsafe {
        std::arch::asm!("2: dec {0}", "jnz 2b", inout(reg) rounds => _, options(nomem, nostack));
    }
    now() - begun
}

fn getppid() {
    // SAFETY: has no arguments.
    unsafe { libc::syscall(libc::SYS_getppid) };
}

fn open_and_close() {
    // SAFETY: the path is a C string; the descriptor is its own.
    unsafe {
        let fd = libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        libc::close(fd);
    }
}

fn failed_open() {
    // SAFETY: the path is a C string.
    unsafe { libc::open(c"/etc/nothing-is-here".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
}

/// Connects the datagram socket `socket` to a port of loopback, again and again.
fn connect(socket: libc::c_int) {
    let address = libc::sockaddr_in {
        sin_family: libc::sa_family_t::try_from(libc::AF_INET).unwrap_or_default(),
        sin_port: 9_u16.to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes([127, 0, 0, 1]),
        },
        sin_zero: [0; 8],
    };
    let length = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
    // SAFETY: the address lives, and its length is its own.
    unsafe { libc::connect(socket, (&raw const address).cast(), length) };
}

fn fork_and_exec() {
    let mut command = Command::new("/usr/bin/true");
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    drop(ended);
}

fn main() -> ExitCode {
    let Some(place) = std::env::args().nth(1) else {
        eprintln!("count: needs a word for where it runs");
        return ExitCode::from(2);
    };
    let rounds = 1_000_000;
    // Whatever else runs can only add to it.
    let counted = (0..9).map(|_| known(rounds)).min().unwrap_or_default();
    if counted.abs_diff(2 * rounds) > rounds / 10 {
        eprintln!(
            "count: {counted} for {} instructions: this counter does not count instructions",
            2 * rounds
        );
        return ExitCode::FAILURE;
    }
    // SAFETY: opens a socket.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    let calls: BTreeMap<&str, u64> = [
        ("getppid", per_act(200, getppid)),
        ("open + close", per_act(100, open_and_close)),
        ("failed open", per_act(100, failed_open)),
        ("connect", per_act(100, || connect(socket))),
        ("fork + exec + exit", per_act(1, fork_and_exec)),
    ]
    .into();
    let line = serde_json::json!({ "where": place, "calls": calls, "known": counted });
    println!("count {line}");
    ExitCode::SUCCESS
}
