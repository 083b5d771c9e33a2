//! Programs that do nothing, attached where a monitor's are: what any monitor at these places costs at least.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use nix::libc;

/// Commands of bpf(2), from `enum bpf_cmd`.
const PROG_LOAD: libc::c_int = 5;
const RAW_TRACEPOINT_OPEN: libc::c_int = 17;
const LINK_CREATE: libc::c_int = 28;

/// Kinds of programs, from `enum bpf_prog_type`.
const CGROUP_SOCK: u32 = 9;
const RAW_TRACEPOINT: u32 = 17;
const CGROUP_SOCK_ADDR: u32 = 18;

/// Of `enum bpf_attach_type`: a socket is made; connect and send, IPv4 and IPv6.
const AT_CGROUP: [(u32, u32); 5] = [
    (CGROUP_SOCK, 2),
    (CGROUP_SOCK_ADDR, 10),
    (CGROUP_SOCK_ADDR, 11),
    (CGROUP_SOCK_ADDR, 14),
    (CGROUP_SOCK_ADDR, 15),
];

/// Attaches an empty program to the exit of every system call and, at the root of cgroup v2, to every socket, connect
/// and send. They come off when what is returned is dropped.
///
/// # Errors
/// Those of bpf(2), and where there is no cgroup v2.
pub fn attach() -> io::Result<Vec<OwnedFd>> {
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    let root = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let place = fields.next()?;
        (fields.next()? == "cgroup2").then_some(place)
    });
    let root = File::open(root.ok_or_else(|| io::Error::other("no cgroup v2 is mounted"))?)?;
    let exit = load(RAW_TRACEPOINT, 0)?;
    let name = CString::new("sys_exit")?;
    let mut links = vec![bpf(
        RAW_TRACEPOINT_OPEN,
        &[
            (0, name.as_ptr().addr() as u64, 8),
            (8, u64::from(exit.as_raw_fd().unsigned_abs()), 4),
        ],
    )?];
    for (kind, place) in AT_CGROUP {
        let program = load(kind, place)?;
        links.push(bpf(
            LINK_CREATE,
            &[
                (0, u64::from(program.as_raw_fd().unsigned_abs()), 4),
                (4, u64::from(root.as_raw_fd().unsigned_abs()), 4),
                (8, u64::from(place), 4),
            ],
        )?);
    }
    Ok(links)
}

/// Loads `return 1`, which lets a cgroup's act through.
fn load(kind: u32, place: u32) -> io::Result<OwnedFd> {
    // `r0 = 1; exit`.
    const CODE: [u64; 2] = [0x0000_0001_0000_00b7, 0x95];
    let licence = c"GPL";
    bpf(
        PROG_LOAD,
        &[
            (0, u64::from(kind), 4),
            (4, CODE.len() as u64, 4),
            (8, CODE.as_ptr().addr() as u64, 8),
            (16, licence.as_ptr().addr() as u64, 8),
            (68, u64::from(place), 4),
        ],
    )
}

/// bpf(2) with the fields of `union bpf_attr`: offset, value and width in bytes.
fn bpf(command: libc::c_int, fields: &[(usize, u64, usize)]) -> io::Result<OwnedFd> {
    let mut attributes = [0_u8; 128];
    for &(at, value, width) in fields {
        attributes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
    // SAFETY: the attributes are as long as is said, and what they point to lives until the call returns.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), attributes.len()) };
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
