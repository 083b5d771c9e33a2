//! Which system calls the exit hook looks at. The table itself is filled by the daemon for the running architecture.

/// System-call numbers that are looked at: 0 to 511.
pub const TABLE: usize = 512;

/// Low four bits: class of the native call. High four bits: class of the 32-bit call of that number.
pub mod class {
    /// Not looked at.
    pub const NONE: u8 = 0;
    /// Returns a descriptor of a file.
    pub const OPEN: u8 = 1;
    /// Reaches the network: the process may have been doomed or held in it.
    pub const NET: u8 = 2;
    /// Makes a socket.
    pub const SOCKET: u8 = 3;
    /// Connects: as `NET`, and a unix socket has a peer afterwards.
    pub const CONNECT: u8 = 4;
    /// `ptrace`.
    pub const PTRACE: u8 = 5;
    /// Its first argument is a process whose memory it uses.
    pub const PROCESS_VM: u8 = 6;
    /// Its first argument is a descriptor of a process that it uses.
    pub const PIDFD: u8 = 7;
    /// Its first argument is a process that it signals with what the caller made up.
    pub const QUEUE: u8 = 8;
    /// `pidfd_send_signal`.
    pub const PIDFD_SIGNAL: u8 = 9;
    /// `perf_event_open`.
    pub const PERF: u8 = 10;
    /// `setns`.
    pub const SETNS: u8 = 11;
    /// `unshare`.
    pub const UNSHARE: u8 = 12;
    /// Mounts, or changes the root.
    pub const MOUNT: u8 = 13;
    /// `bpf`.
    pub const BPF: u8 = 14;
    /// Removes a name: `unlinkat`, or `unlink`, which is told apart by its number.
    pub const REMOVE: u8 = 15;
    /// Shift of the 32-bit class.
    pub const COMPAT_SHIFT: u8 = 4;
}
