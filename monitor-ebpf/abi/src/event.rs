//! What the kernel tells the daemon. Every record is an [`Header`], the body of its kind, then strings.

/// Starts every record.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// [`crate::ABI_VERSION`].
    pub version: u8,
    /// `kind::*`.
    pub kind: u8,
    /// `hook::*`.
    pub hook: u8,
    /// `response::*` that the scope called for.
    pub called_for: u8,
    /// `response::*` that was applied.
    pub applied: u8,
    /// `when::*`.
    pub when: u8,
    /// Bytes of strings after the body.
    pub strings: u16,
    /// Thread id.
    pub tid: u32,
    /// Process id.
    pub tgid: u32,
    /// Boot clock, ns.
    pub time: u64,
    /// The session.
    pub session: u64,
    /// The process's cookie.
    pub cookie: u64,
    /// The policy that decided.
    pub policy: u32,
    /// Its generation.
    pub generation: u32,
    /// The entry that decided; 0 for the default that allows.
    pub entry: u32,
    /// `flag::*`.
    pub flags: u32,
}

/// Bits of [`Header::flags`].
pub mod flag {
    /// The file was created by this call.
    pub const CREATED: u32 = 1;
    /// Opened for reading.
    pub const READ: u32 = 2;
    /// Opened for writing.
    pub const WRITE: u32 = 4;
    /// The object could not be resolved: answered in the fail direction.
    pub const UNRESOLVED: u32 = 8;
    /// The path or a string did not fit and was cut.
    pub const TRUNCATED: u32 = 16;
    /// The file has no name any more.
    pub const DELETED: u32 = 32;
    /// The program fits a `[[match]]`: user space has to look (arguments, owner).
    pub const CANDIDATE: u32 = 128;
    /// Done through io_uring.
    pub const URING: u32 = 256;
    /// Sanctioned use of a guarded object.
    pub const SANCTIONED: u32 = 512;
    /// In a 32-bit system call.
    pub const COMPAT: u32 = 1024;
    /// Answered in a security hook (`lsm`, `fmod_ret`): the act itself can be refused.
    pub const SECURITY: u32 = 4096;
    /// The cut with which the brake stopped the session.
    pub const BRAKED: u32 = 1 << 16;
    /// A unix socket in the abstract name space: the string is its name.
    pub const ABSTRACT: u32 = 2048;
    /// A person's credential was read outside sanctioned use, or something is reached after that.
    pub const LENT: u32 = 1 << 21;
    /// Outside the scope, and let through by a grant.
    pub const GRANTED: u32 = 1 << 20;
    /// The session did not open it itself: the descriptor was received, or it was there before the session.
    pub const RECEIVED: u32 = 1 << 22;
}

/// Values of [`Header::kind`].
pub mod kind {
    /// [`super::Fork`].
    pub const FORK: u8 = 1;
    /// [`super::Exec`], then path, working directory, file name given, arguments.
    pub const EXEC: u8 = 2;
    /// [`super::Exit`].
    pub const EXIT: u8 = 3;
    /// [`super::File`], then the path.
    pub const OPEN: u8 = 4;
    /// [`super::Net`].
    pub const CONNECT: u8 = 5;
    /// [`super::Net`].
    pub const SEND: u8 = 6;
    /// [`super::Net`].
    pub const SOCKET: u8 = 7;
    /// [`super::File`] of the socket, then its path, or its abstract name.
    pub const UNIX_CONNECT: u8 = 8;
    /// The same for a datagram, or for bytes on a connection that the session did not make.
    pub const UNIX_SEND: u8 = 9;
    /// [`super::Other`]: a process outside the session is traced, or its memory read.
    pub const TRACE: u8 = 10;
    /// [`super::Other`]: a process outside the session is signalled.
    pub const SIGNAL: u8 = 11;
    /// [`super::Other`]: an act on the monitor.
    pub const TAMPER: u8 = 12;
    /// [`super::Other`]: a process of the session is moved to another cgroup.
    pub const CGROUP: u8 = 13;
    /// [`super::Other`]: other namespaces.
    pub const NAMESPACE: u8 = 14;
    /// [`super::Other`]: a mount, or another root.
    pub const MOUNT: u8 = 15;
    /// [`super::File`], then the path: a name is removed. At the exit of the system call the inode is 0.
    pub const UNLINK: u8 = 16;
    /// [`super::File`], then the path it has, one byte 0, and the path that it is to have.
    pub const RENAME: u8 = 17;
    /// The same for a hard link.
    pub const LINK: u8 = 18;
    /// [`super::File`], then the path: cut to a length without an open.
    pub const TRUNCATE: u8 = 19;
    /// [`super::File`], then the path: mode, owner, extended attributes.
    pub const ATTRIBUTES: u8 = 20;
    /// [`super::File`], then the path: a program that is mapped to be run.
    pub const MAP: u8 = 21;
    /// Nothing but the header: the daemon asked for it, to see that what the kernel tells arrives. It is no act.
    pub const HEARTBEAT: u8 = 255;
}

/// Values of [`Header::when`].
pub mod when {
    /// The act had no effect.
    pub const BEFORE_ACT: u8 = 0;
    /// Before its result could be used.
    pub const BEFORE_USE: u8 = 1;
    /// The act was done.
    pub const AFTER: u8 = 2;
}

/// Hooks, for [`Header::hook`] and the loss counters.
pub mod hook {
    /// `sched_process_fork`.
    pub const FORK: u8 = 0;
    /// `sched_process_exec`.
    pub const EXEC: u8 = 1;
    /// `sched_process_exit`.
    pub const EXIT: u8 = 2;
    /// `sys_exit`.
    pub const OPEN: u8 = 3;
    /// `io_uring_complete`.
    pub const URING: u8 = 4;
    /// `cgroup/connect4`, `cgroup/connect6`.
    pub const CONNECT: u8 = 5;
    /// `cgroup/sendmsg4`, `cgroup/sendmsg6`.
    pub const SEND: u8 = 6;
    /// `cgroup/sock_create`.
    pub const SOCKET: u8 = 7;
    /// `iter/task`.
    pub const ADOPT: u8 = 8;
    /// `sk_data_ready`, and the exit of `connect` on unix sockets.
    pub const UNIX: u8 = 9;
    /// Acts on other processes.
    pub const PROCESS: u8 = 10;
    /// Ways out of the session, and acts on the monitor.
    pub const ESCAPE: u8 = 11;
    /// Names and attributes of files, before they are changed.
    pub const CHANGE: u8 = 12;
    /// Descriptors that the session did not open.
    pub const RECEIVE: u8 = 13;
    /// How many there are.
    pub const COUNT: usize = 14;
    /// Their names, as `status` shows them.
    pub const NAMES: [&str; COUNT] = [
        "fork", "exec", "exit", "open", "io_uring", "connect", "send", "socket", "adopt", "unix", "process",
        "escape", "change", "receive",
    ];
}

/// Reasons of the loss counters: index = hook × `COUNT` + reason.
pub mod loss {
    /// The ring was full: not recorded, but answered.
    pub const RING: u32 = 0;
    /// No working memory was free: answered in the fail direction.
    pub const SCRATCH: u32 = 1;
    /// The object could not be resolved: answered in the fail direction.
    pub const UNRESOLVED: u32 = 2;
    /// A map was full: the process was held (a new process of a session, and the one that made it, end).
    pub const MAP: u32 = 3;
    /// Counted and not emitted: the session's quota was used up.
    pub const QUOTA: u32 = 4;
    /// A signal could not be sent.
    pub const SIGNAL: u32 = 5;
    /// How many there are.
    pub const COUNT: usize = 6;
    /// Their names, as `status` shows them.
    pub const NAMES: [&str; COUNT] = [
        "ring full",
        "no scratch",
        "unresolved",
        "map full",
        "over quota",
        "signal failed",
    ];
}

/// Body of `FORK`; the header's process is the parent.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fork {
    /// The child's cookie.
    pub cookie: u64,
    /// The child's process id.
    pub tgid: u32,
    /// The child's user id.
    pub uid: u32,
}

/// Body of `EXEC`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// Inode number of the program.
    pub inode: u64,
    /// Its device (kernel encoding).
    pub dev: u32,
    /// The parent's process id.
    pub ppid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Bytes of the program's path (components, leaf first).
    pub path: u16,
    /// Bytes of the working directory's path (components, leaf first).
    pub cwd: u16,
    /// Bytes of the file name that was given to the call.
    pub file: u16,
    /// Bytes of the arguments, each ended by a zero.
    pub argv: u16,
    /// Length of all arguments in the process, of which `argv` may be a part.
    pub argv_total: u32,
}

/// Body of `EXIT`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// `task->exit_code`: status << 8 | signal.
    pub code: u32,
    /// Always 0.
    pub pad: u32,
}

/// Body of `OPEN`; the strings are the path's components, leaf first, each one length byte and the bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Inode number.
    pub inode: u64,
    /// Device (kernel encoding).
    pub dev: u32,
    /// `i_mode`.
    pub mode: u32,
}

/// Body of `TRACE`, `SIGNAL`, `TAMPER`, `CGROUP`, `NAMESPACE`, `MOUNT`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other {
    /// The other process, as the host numbers it; 0 where there is none.
    pub pid: u32,
    /// `call::*` of what was done.
    pub call: u32,
    /// The signal, the namespaces, or the command of `bpf`.
    pub detail: u64,
    /// The file of `/proc`, or the cgroup's path, ended by a zero; cut to fit.
    pub name: [u8; 64],
}

/// Values of [`Other::call`].
pub mod call {
    /// `ptrace`.
    pub const PTRACE: u32 = 1;
    /// `process_vm_readv`, `process_vm_writev` and the like.
    pub const PROCESS_VM: u32 = 2;
    /// `pidfd_getfd`, `process_madvise`.
    pub const PIDFD: u32 = 3;
    /// A file in `/proc/PID`.
    pub const PROC: u32 = 4;
    /// A signal.
    pub const SIGNAL: u32 = 5;
    /// `perf_event_open` on a process.
    pub const PERF: u32 = 6;
    /// `bpf`.
    pub const BPF: u32 = 7;
    /// A process was attached to a cgroup.
    pub const CGROUP: u32 = 8;
    /// `setns`.
    pub const SETNS: u32 = 9;
    /// `unshare`.
    pub const UNSHARE: u32 = 10;
    /// A child in namespaces of its own.
    pub const CLONE: u32 = 11;
    /// `mount`, `move_mount`, `pivot_root`, `chroot`, `mount_setattr`, `fsmount`; the number of the system call is the detail.
    pub const MOUNT: u32 = 12;
    /// Their names, as events say them.
    pub const NAMES: [&str; 13] = [
        "",
        "ptrace",
        "process_vm",
        "pidfd",
        "proc",
        "signal",
        "perf_event_open",
        "bpf",
        "cgroup",
        "setns",
        "unshare",
        "clone",
        "mount",
    ];
}

/// Body of `CONNECT`, `SEND`, `SOCKET`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Net {
    /// Remote address, IPv4 as v4-mapped.
    pub addr: [u8; 16],
    /// Remote port, host order.
    pub port: u16,
    /// `AF_*` of the socket.
    pub family: u16,
    /// `SOCK_*`.
    pub kind: u16,
    /// `IPPROTO_*`.
    pub protocol: u16,
}

/// Most bytes of a path in an event.
pub const MAX_PATH: usize = 2048;
/// Most bytes of the arguments in an event.
pub const MAX_ARGV: usize = 1024;
/// Most bytes of the file name in an event.
pub const MAX_FILE: usize = 256;
