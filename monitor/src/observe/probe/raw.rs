//! The bpf(2) calls of the probe: a program of two instructions, and a ring of one page.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use nix::libc;

/// `enum bpf_cmd`.
const MAP_CREATE: u32 = 0;
const PROG_LOAD: u32 = 5;

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

/// `r0 = 0; exit`.
#[repr(align(8))]
struct Code([u8; 16]);
static ALLOWS: Code = Code([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
static LICENCE: &[u8] = b"GPL\0";

/// Loads the program that allows, as a socket filter: what every kernel with BPF takes.
pub(super) fn load() -> io::Result<OwnedFd> {
    /// `BPF_PROG_TYPE_SOCKET_FILTER`.
    const FILTER: u32 = 1;
    let attr = Attr::new()
        .u32(0, FILTER)
        .u32(4, 2)
        .address(8, &ALLOWS.0)
        .address(16, LICENCE);
    bpf(PROG_LOAD, &attr)
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
