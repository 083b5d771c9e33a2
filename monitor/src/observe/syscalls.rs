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

/// Calls in which the process can have been doomed or held by a hook that cannot send signals; a new process was doomed
/// in the one that made it.
#[cfg(target_arch = "x86_64")]
const NETS: (&[usize], &[usize]) = (
    // sendto, sendmsg, sendmmsg, io_uring_enter, clone, fork, vfork, clone3
    &[44, 46, 307, 426, 56, 57, 58, 435],
    // socketcall, sendmsg, sendto, sendmmsg, io_uring_enter, clone, fork, vfork, clone3
    &[102, 370, 369, 345, 426, 120, 2, 190, 435],
);

/// Calls that connect: connect.
#[cfg(target_arch = "x86_64")]
const CONNECTS: (&[usize], &[usize]) = (&[42], &[362]);

/// Calls that make a socket: socket.
#[cfg(target_arch = "x86_64")]
const SOCKETS: (&[usize], &[usize]) = (&[41], &[359]);

/// Acts on other processes, ways out of the session, and acts on the monitor: class, native calls, 32-bit calls.
#[cfg(target_arch = "x86_64")]
const ACTS: [(u8, &[usize], &[usize]); 10] = [
    (class::PTRACE, &[101], &[26]),
    // process_vm_readv, process_vm_writev, kcmp, move_pages
    (class::PROCESS_VM, &[310, 311, 312, 279], &[347, 348, 349, 317]),
    // pidfd_getfd, process_madvise
    (class::PIDFD, &[438, 440], &[438, 440]),
    // rt_sigqueueinfo, rt_tgsigqueueinfo
    (class::QUEUE, &[129, 297], &[178, 335]),
    (class::PIDFD_SIGNAL, &[424], &[424]),
    (class::PERF, &[298], &[336]),
    (class::SETNS, &[308], &[346]),
    (class::UNSHARE, &[272], &[310]),
    // chroot, mount_setattr, fsmount
    (class::MOUNT, &[161, 442, 432], &[61, 442, 432]),
    (class::BPF, &[321], &[357]),
];

/// Mounts that a security hook of their own is asked about: mount, move_mount, pivot_root.
#[cfg(target_arch = "x86_64")]
const MOUNTS: (&[usize], &[usize]) = (&[165, 429, 155], &[21, 429, 217]);

/// Calls that remove a name: unlinkat, unlink.
#[cfg(target_arch = "x86_64")]
const REMOVES: (&[usize], &[usize]) = (&[263, 87], &[301, 10]);

/// unlink, native and 32-bit: it has no descriptor of a directory.
#[cfg(target_arch = "x86_64")]
pub const UNLINK: [u64; 2] = [87, 10];

/// Calls that return a descriptor of a file, native (`include/uapi/asm-generic/unistd.h`) and 32-bit
/// (`arch/arm64/include/asm/unistd32.h`).
#[cfg(target_arch = "aarch64")]
const OPENS: (&[usize], &[usize]) = (
    // openat, open_by_handle_at, openat2
    &[56, 265, 437],
    // open, creat, openat, open_by_handle_at, openat2
    &[5, 8, 322, 371, 437],
);

/// Calls in which the process can have been doomed or held by a hook that cannot send signals; a new process was doomed
/// in the one that made it.
#[cfg(target_arch = "aarch64")]
const NETS: (&[usize], &[usize]) = (
    // sendto, sendmsg, sendmmsg, io_uring_enter, clone, clone3
    &[206, 211, 269, 426, 220, 435],
    // send, sendto, sendmsg, sendmmsg, io_uring_enter, clone, fork, vfork, clone3
    &[289, 290, 296, 374, 426, 120, 2, 190, 435],
);

/// Calls that connect: connect.
#[cfg(target_arch = "aarch64")]
const CONNECTS: (&[usize], &[usize]) = (&[203], &[283]);

/// Calls that make a socket: socket.
#[cfg(target_arch = "aarch64")]
const SOCKETS: (&[usize], &[usize]) = (&[198], &[281]);

/// The same as above: native (`include/uapi/asm-generic/unistd.h`), 32-bit (`arch/arm64/tools/syscall_32.tbl`).
#[cfg(target_arch = "aarch64")]
const ACTS: [(u8, &[usize], &[usize]); 10] = [
    (class::PTRACE, &[117], &[26]),
    (class::PROCESS_VM, &[270, 271, 272, 239], &[376, 377, 378, 344]),
    (class::PIDFD, &[438, 440], &[438, 440]),
    (class::QUEUE, &[138, 240], &[178, 363]),
    (class::PIDFD_SIGNAL, &[424], &[424]),
    (class::PERF, &[241], &[364]),
    (class::SETNS, &[268], &[375]),
    (class::UNSHARE, &[97], &[337]),
    (class::MOUNT, &[51, 442, 432], &[61, 442, 432]),
    (class::BPF, &[280], &[386]),
];

/// mount, move_mount, pivot_root.
#[cfg(target_arch = "aarch64")]
const MOUNTS: (&[usize], &[usize]) = (&[40, 429, 41], &[21, 429, 218]);

/// unlinkat; and unlink, which there is for 32-bit calls alone.
#[cfg(target_arch = "aarch64")]
const REMOVES: (&[usize], &[usize]) = (&[35], &[328, 10]);

/// unlink, native (none) and 32-bit.
#[cfg(target_arch = "aarch64")]
pub const UNLINK: [u64; 2] = [u64::MAX, 10];

/// The table, as the programs have it. Where acts are refused before they happen (`denies`), opens, sockets and
/// mounts need no look, nor removals where `changes` to names are refused too; of the others the security hooks ask which call they are in.
#[must_use]
pub fn table(denies: bool, changes: bool) -> [u8; TABLE] {
    let mut table = [class::NONE; TABLE];
    let acts = ACTS.map(|(of, native, compat)| ((native, compat), of));
    for (calls, of) in [
        (OPENS, class::OPEN),
        (NETS, class::NET),
        (SOCKETS, class::SOCKET),
        (CONNECTS, class::CONNECT),
        (REMOVES, class::REMOVE),
    ]
    .into_iter()
    .filter(|(_, of)| !denies || ![class::OPEN, class::SOCKET].contains(of))
    .filter(|(_, of)| !changes || *of != class::REMOVE)
    .chain((!denies).then_some((MOUNTS, class::MOUNT)))
    .chain(acts)
    {
        for &number in calls.0 {
            table[number] |= of;
        }
        for &number in calls.1 {
            table[number] |= of << class::COMPAT_SHIFT;
        }
    }
    table
}
