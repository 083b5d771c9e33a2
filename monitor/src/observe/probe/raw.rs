//! The bpf(2) calls of the probe: programs of two instructions that allow, and a ring of one page.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::libc;

/// `enum bpf_cmd`.
const MAP_CREATE: u32 = 0;
const PROG_LOAD: u32 = 5;
const RAW_TRACEPOINT_OPEN: u32 = 17;

/// `enum bpf_map_type`.
const MAP_RINGBUF: u32 = 27;

/// `union bpf_attr`, as far as it is used; the kernel asks that the rest be zero.
#[repr(C, align(8))]
struct Attr([u8; 128]);

impl Attr {
    const fn new() -> Self {
        Self([0; 128])
    }

    fn u32(mut self, at: usize, value: u32) -> Self {
        self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        self
    }

    fn address(mut self, at: usize, bytes: &'static [u8]) -> Self {
        self.0[at..at + 8].copy_from_slice(&(bytes.as_ptr() as u64).to_ne_bytes());
        self
    }
}

/// What a program is loaded as.
#[derive(Clone, Copy, Debug)]
pub(super) struct As {
    /// `enum bpf_prog_type`.
    pub(super) kind: u32,
    /// `enum bpf_attach_type`.
    pub(super) attach: u32,
    /// The function, by its id in the kernel's BTF; 0 for none.
    pub(super) function: u32,
}

impl As {
    /// `BPF_PROG_TYPE_SOCKET_FILTER`: what every kernel with BPF takes.
    pub(super) const FILTER: Self = Self {
        kind: 1,
        attach: 0,
        function: 0,
    };

    /// `BPF_PROG_TYPE_LSM`, `BPF_LSM_MAC`.
    pub(super) const fn lsm(function: u32) -> Self {
        Self {
            kind: 29,
            attach: 27,
            function,
        }
    }

    /// `BPF_PROG_TYPE_TRACING`, `BPF_MODIFY_RETURN`.
    pub(super) const fn fmod_ret(function: u32) -> Self {
        Self {
            kind: 26,
            attach: 26,
            function,
        }
    }
}

/// `r0 = 0; exit`: for an LSM and a `fmod_ret` program that means "go on".
#[repr(align(8))]
struct Code([u8; 16]);
static ALLOWS: Code = Code([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
static LICENCE: &[u8] = b"GPL\0";

/// Loads the program that allows.
pub(super) fn load(what: As) -> io::Result<OwnedFd> {
    let attr = Attr::new()
        .u32(0, what.kind)
        .u32(4, 2)
        .address(8, &ALLOWS.0)
        .address(16, LICENCE)
        .u32(68, what.attach)
        .u32(108, what.function);
    bpf(PROG_LOAD, &attr)
}

/// Attaches an LSM or `fmod_ret` program; it comes off when the descriptor is dropped.
pub(super) fn attach(program: &OwnedFd) -> io::Result<OwnedFd> {
    let fd = u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?;
    bpf(RAW_TRACEPOINT_OPEN, &Attr::new().u32(8, fd))
}

/// Makes a ring buffer of one page.
pub(super) fn ring() -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let page = u32::try_from(page).map_err(io::Error::other)?;
    bpf(MAP_CREATE, &Attr::new().u32(0, MAP_RINGBUF).u32(12, page))
}

fn bpf(command: u32, attr: &Attr) -> io::Result<OwnedFd> {
    // SAFETY: the attribute and what it points to live longer than the call, and its size is its own.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, command, attr.0.as_ptr(), size_of::<Attr>()) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: a fresh descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
