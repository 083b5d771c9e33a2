//! `struct socket`, `sock`, `unix_sock`.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel as probe_read_kernel;

use super::offsets::{Address, of, read};
use crate::scratch::{Scratch, bounded};

/// `AF_UNIX`.
pub const AF_UNIX: u16 = 1;
/// `SOCK_DGRAM`.
pub const DGRAM: u16 = 2;

/// The `sock` of an open file; `None` where it is no socket.
#[inline(always)]
pub fn of_file(file: Address) -> Option<Address> {
    /// `S_IFMT`, `S_IFSOCK`.
    const KIND: u16 = 0o170_000;
    const SOCKET: u16 = 0o140_000;
    let inode: Address = read(file, of::FILE_INODE()).ok()?;
    let mode: u16 = read(inode, of::INODE_MODE()).ok()?;
    if mode & KIND != SOCKET {
        return None;
    }
    let socket: Address = read(file, of::FILE_PRIVATE()).ok()?;
    read(socket, of::SOCKET_SK()).ok()
}

/// Its `AF_*`.
#[inline(always)]
pub fn family(sock: Address) -> Result<u16, i32> {
    read(sock, of::SOCK_FAMILY())
}

/// Its `SOCK_*`.
#[inline(always)]
pub fn kind(sock: Address) -> Result<u16, i32> {
    read(sock, of::SOCK_TYPE())
}

/// Whether it waits for connections.
#[inline(always)]
pub fn listens(sock: Address) -> bool {
    /// `TCP_LISTEN`, of unix sockets too.
    const LISTEN: u8 = 10;
    read::<u8>(sock, of::SOCK_STATE()).is_ok_and(|state| state == LISTEN)
}

/// The peer of a unix socket; 0 where it has none.
#[inline(always)]
pub fn peer(sock: Address) -> Result<Address, i32> {
    read(sock, of::UNIX_PEER())
}

/// The process id, as the host sees it, of whoever connected to this accepted unix socket.
#[inline(always)]
pub fn connected_by(sock: Address) -> Result<u32, i32> {
    let pid: Address = read(sock, of::SOCK_PEER_PID())?;
    // The first number is that of the host; its first field is the number.
    read(pid, of::PID_NUMBERS())
}

/// Where a unix socket is bound.
pub enum Bound {
    /// Nowhere: a socket pair's, or a client's.
    Nowhere,
    /// To a file: its dentry and mount.
    Path(Address, Address),
    /// To an abstract name, now in `scratch.name`.
    Abstract,
    /// That could not be read.
    Unknown,
}

/// Where a unix socket is bound; an abstract name is copied into the scratch.
#[inline(always)]
pub fn bound(sock: Address, scratch: &mut Scratch) -> Bound {
    let Ok(address) = read::<Address>(sock, of::UNIX_ADDR()) else {
        return Bound::Unknown;
    };
    if address == 0 {
        return Bound::Nowhere;
    }
    let (Ok(dentry), Ok(mount)) = (
        read::<Address>(sock, of::UNIX_PATH() + of::PATH_DENTRY()),
        read::<Address>(sock, of::UNIX_PATH() + of::PATH_MNT()),
    ) else {
        return Bound::Unknown;
    };
    if dentry != 0 {
        return Bound::Path(dentry, mount);
    }
    /// Bytes of `sockaddr_un` before an abstract name: the family, and the zero.
    const BEFORE: u32 = 3;
    let Ok(len) = read::<u32>(address, of::ADDRESS_LEN()) else {
        return Bound::Unknown;
    };
    let len = bounded::<127>(len.saturating_sub(BEFORE) as usize) as u32;
    scratch.name_len = len;
    scratch.name = [0; 32];
    let from = address + of::ADDRESS_NAME() as u64 + u64::from(BEFORE);
    // SAFETY: `name` has 256 bytes and `len` is at most 127.
    match unsafe { probe_read_kernel(scratch.name.as_mut_ptr().cast(), len, from as *const _) } {
        0 => Bound::Abstract,
        _ => Bound::Unknown,
    }
}
