//! The table of system calls that the exit hook looks at, for this architecture.

use scopeward_abi::syscall::{TABLE, class};

/// Calls that return a descriptor of a file, native and 32-bit (`arch/x86/entry/syscalls/*.tbl`).
#[cfg(target_arch = "x86_64")]
const OPENS: (&[usize], &[usize]) = (
    // open, creat, openat, open_by_handle_at, openat2
    &[2, 85, 257, 304, 437],
    // the same of the 32-bit table
    &[5, 8, 295, 342, 437],
);

/// Calls in which the process can have been doomed or held by a hook that cannot send signals.
#[cfg(target_arch = "x86_64")]
const NETS: (&[usize], &[usize]) = (
    // sendto, sendmsg, sendmmsg, io_uring_enter
    &[44, 46, 307, 426],
    // socketcall, sendmsg, sendto, sendmmsg, io_uring_enter
    &[102, 370, 369, 345, 426],
);

/// Calls that connect: connect.
#[cfg(target_arch = "x86_64")]
const CONNECTS: (&[usize], &[usize]) = (&[42], &[362]);

/// Calls that make a socket: socket.
#[cfg(target_arch = "x86_64")]
const SOCKETS: (&[usize], &[usize]) = (&[41], &[359]);

/// Calls that remove a name in a directory: unlinkat.
#[cfg(target_arch = "x86_64")]
const REMOVES: (&[usize], &[usize]) = (&[263], &[301]);

/// Calls that return a descriptor of a file, native (`include/uapi/asm-generic/unistd.h`) and 32-bit
/// (`arch/arm64/include/asm/unistd32.h`).
#[cfg(target_arch = "aarch64")]
const OPENS: (&[usize], &[usize]) = (
    // openat, open_by_handle_at, openat2
    &[56, 265, 437],
    // open, creat, openat, open_by_handle_at, openat2
    &[5, 8, 322, 371, 437],
);

/// Calls in which the process can have been doomed or held by a hook that cannot send signals.
#[cfg(target_arch = "aarch64")]
const NETS: (&[usize], &[usize]) = (
    // sendto, sendmsg, sendmmsg, io_uring_enter
    &[206, 211, 269, 426],
    // send, sendto, sendmsg, sendmmsg, io_uring_enter
    &[289, 290, 296, 374, 426],
);

/// Calls that connect: connect.
#[cfg(target_arch = "aarch64")]
const CONNECTS: (&[usize], &[usize]) = (&[203], &[283]);

/// Calls that make a socket: socket.
#[cfg(target_arch = "aarch64")]
const SOCKETS: (&[usize], &[usize]) = (&[198], &[281]);

/// The table, as the programs have it. Where acts are refused before they happen (`denies`), opens and sockets need no
/// look afterwards.
#[must_use]
pub fn table(denies: bool) -> [u8; TABLE] {
    let mut table = [class::NONE; TABLE];
    for (calls, of) in [
        (OPENS, class::OPEN),
        (NETS, class::NET),
        (SOCKETS, class::SOCKET),
        (CONNECTS, class::CONNECT),
        (REMOVES, class::REMOVE),
    ] {
        if denies && (of == class::OPEN || of == class::SOCKET) {
            continue;
        }
        for &number in calls.0 {
            table[number] |= of;
        }
        for &number in calls.1 {
            table[number] |= of << class::COMPAT_SHIFT;
        }
    }
    table
}
