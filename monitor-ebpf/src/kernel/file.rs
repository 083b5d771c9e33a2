//! `struct file`, `dentry`, `inode`, `mount`.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel as probe_read_kernel;
use scopeward_abi::event::MAX_PATH;

use super::offsets::{Address, Memory, of, read};
use crate::scratch::{OUT, Scratch, bounded, repeat};
use scopeward_abi::hash;

/// What a file is, apart from its names.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Facts {
    /// Its dentry.
    pub dentry: Address,
    /// Its `vfsmount`.
    pub mount: Address,
    /// Inode number.
    pub inode: u64,
    /// Device of the filesystem (kernel encoding).
    pub dev: u32,
    /// `i_mode`.
    pub mode: u32,
    /// `f_mode`.
    pub f_mode: u32,
    /// Number of links.
    pub links: u32,
    /// `i_generation`.
    pub generation: u32,
}

/// `FMODE_READ`.
pub const FMODE_READ: u32 = 1;
/// `FMODE_WRITE`.
pub const FMODE_WRITE: u32 = 2;
/// `FMODE_CREATED`.
pub const FMODE_CREATED: u32 = 1 << 20;

/// Reads the facts of an open file.
#[inline(always)]
pub fn facts<M: Memory>(file: Address) -> Result<Facts, i32> {
    let inode: Address = M::read(file, of::FILE_INODE())?;
    let sb: Address = M::read(inode, of::INODE_SB())?;
    Ok(Facts {
        dentry: M::read(file, of::FILE_PATH() + of::PATH_DENTRY())?,
        mount: M::read(file, of::FILE_PATH() + of::PATH_MNT())?,
        inode: M::read(inode, of::INODE_INO())?,
        dev: M::read(sb, of::SB_DEV())?,
        mode: u32::from(M::read::<u16>(inode, of::INODE_MODE())?),
        f_mode: M::read(file, of::FILE_MODE())?,
        links: M::read(inode, of::INODE_NLINK())?,
        generation: M::read(inode, of::INODE_GENERATION())?,
    })
}

/// How many directories above a file are looked at by [`place`].
const LEVELS: u32 = 24;

/// A number that stands for where an open file lies: the inodes and names on the way up to the root of its filesystem.
/// 0 where it lies too deep. The kernel's own hashes stand for the names: of two names of one file in one directory that it
/// gives the same hash, the one stands for the other.
#[inline(never)]
pub fn place<M: Memory>(file: Address) -> u64 {
    let Ok(mut node) = M::read::<Address>(file, of::FILE_PATH() + of::PATH_DENTRY()) else {
        return 0;
    };
    let mut place = hash::BASIS;
    for _ in 0..LEVELS {
        let (Ok(inode), Ok(up), Ok(name), Ok(len)) = (
            M::read::<Address>(node, of::DENTRY_INODE()),
            M::read::<Address>(node, of::DENTRY_PARENT()),
            // A name's hash lies beside its length, in the same eight bytes.
            M::read::<u32>(node, of::DENTRY_NAME() + (of::QSTR_LEN() ^ 4)),
            M::read::<u32>(node, of::DENTRY_NAME() + of::QSTR_LEN()),
        ) else {
            return 0;
        };
        let Ok(number) = M::read::<u64>(inode, of::INODE_INO()) else {
            return 0;
        };
        place = hash::step(hash::step(place, number), u64::from(name) << 32 | u64::from(len));
        if up == node {
            return place | 1;
        }
        node = up;
    }
    0
}

/// The facts of a file that is known by its place: `f_mode` is 0. A name that nothing has yet is of its directory's
/// filesystem, and has inode 0.
#[inline(always)]
pub fn placed(dentry: Address, mount: Address) -> Result<Facts, i32> {
    let inode: Address = read(dentry, of::DENTRY_INODE())?;
    if inode == 0 {
        let above: Address = read(parent(dentry)?, of::DENTRY_INODE())?;
        let sb: Address = read(above, of::INODE_SB())?;
        return Ok(Facts {
            dentry,
            mount,
            dev: read(sb, of::SB_DEV())?,
            links: 1,
            ..Facts::default()
        });
    }
    let sb: Address = read(inode, of::INODE_SB())?;
    Ok(Facts {
        dentry,
        mount,
        inode: read(inode, of::INODE_INO())?,
        dev: read(sb, of::SB_DEV())?,
        mode: u32::from(read::<u16>(inode, of::INODE_MODE())?),
        f_mode: 0,
        links: read(inode, of::INODE_NLINK())?,
        generation: read(inode, of::INODE_GENERATION())?,
    })
}

/// Whether what is on this mount is in nobody's tree of files: memory, pipes, sockets.
#[inline(always)]
pub fn is_internal(mount: Address) -> bool {
    /// `SB_NOUSER`.
    const NOUSER: u64 = 1 << 31;
    let flags = read::<Address>(mount, of::VFSMOUNT_SB()).and_then(|sb| read::<u64>(sb, of::SB_FLAGS()));
    flags.is_ok_and(|flags| flags & NOUSER != 0)
}

/// The parent of a dentry; the root of a filesystem is its own parent.
#[inline(always)]
pub fn parent(dentry: Address) -> Result<Address, i32> {
    read(dentry, of::DENTRY_PARENT())
}

/// The inode number behind a dentry; 0 for a name that nothing has yet.
#[inline(always)]
pub fn inode_of(dentry: Address) -> Result<u64, i32> {
    let inode: Address = read(dentry, of::DENTRY_INODE())?;
    if inode == 0 {
        return Ok(0);
    }
    read(inode, of::INODE_INO())
}

/// Copies the name of a dentry into `scratch.name`, filled up with zeros.
#[inline(always)]
pub fn name(dentry: Address, scratch: &mut Scratch) -> Result<(), i32> {
    let len: u32 = read(dentry, of::DENTRY_NAME() + of::QSTR_LEN())?;
    let ptr: Address = read(dentry, of::DENTRY_NAME() + of::QSTR_NAME())?;
    let len = bounded::<255>(len as usize) as u32;
    scratch.name_len = len;
    scratch.name = [0; 32];
    // SAFETY: `name` has 256 bytes and `len` is at most 255.
    match unsafe { probe_read_kernel(scratch.name.as_mut_ptr().cast(), len, ptr as *const _) } {
        0 => Ok(()),
        error => Err(error as i32),
    }
}

/// A name of up to eight bytes, or the beginning of a longer one, as the kernel keeps it.
pub const fn word(name: &[u8]) -> u64 {
    let mut word = 0;
    let mut at = 0;
    while at < name.len() && at < 8 {
        word |= (name[at] as u64) << (at * 8);
        at += 1;
    }
    word
}

/// The first eight bytes of a dentry's name, as [`word`] makes them, and how long it is.
#[inline(always)]
pub fn beginning(dentry: Address) -> Result<(u64, u32), i32> {
    let len: u32 = read(dentry, of::DENTRY_NAME() + of::QSTR_LEN())?;
    let name: Address = read(dentry, of::DENTRY_NAME() + of::QSTR_NAME())?;
    let first: u64 = read(name, 0)?;
    let first = if len < 8 {
        first & ((1 << ((len & 7) * 8)) - 1)
    } else {
        first
    };
    Ok((first, len))
}

/// How many components are rendered.
const COMPONENTS: usize = 128;

/// Renders a path for people, over mounts, into `scratch.out` from `at`: components, leaf first, each one length
/// byte and its bytes. `scratch.used` says how many bytes, `scratch.cut` whether the path did not fit.
#[inline(always)]
pub fn render(dentry: Address, mount: Address, scratch: &mut Scratch, at: usize) {
    scratch.used = 0;
    scratch.cut = 1;
    let mut climb = Climb {
        node: dentry,
        mount,
        scratch,
        at,
    };
    repeat(COMPONENTS, climb_step, &mut climb);
}

struct Climb<'s> {
    node: Address,
    mount: Address,
    scratch: &'s mut Scratch,
    at: usize,
}

/// One component, or from a mount's root to its mount point.
unsafe extern "C" fn climb_step(_index: u32, climb: *mut Climb<'_>) -> i64 {
    // SAFETY: `repeat` passes what `render` borrows.
    let climb = unsafe { &mut *climb };
    let Ok(root) = read::<Address>(climb.mount, of::VFSMOUNT_ROOT()) else {
        return 1;
    };
    let Ok(up) = parent(climb.node) else { return 1 };
    if climb.node == root || climb.node == up {
        // The topmost mount is its own parent.
        let this = climb.mount - of::MOUNT_MNT() as u64;
        let Ok(above) = read::<Address>(this, of::MOUNT_PARENT()) else {
            return 1;
        };
        if above == this {
            climb.scratch.cut = 0;
            return 1;
        }
        let Ok(point) = read::<Address>(this, of::MOUNT_POINT()) else {
            return 1;
        };
        climb.node = point;
        climb.mount = above + of::MOUNT_MNT() as u64;
        return 0;
    }
    if !component(climb.node, climb.scratch, climb.at) {
        return 1;
    }
    climb.node = up;
    0
}

/// Appends one component; false where it does not fit or cannot be read.
#[inline(always)]
fn component(node: Address, scratch: &mut Scratch, at: usize) -> bool {
    let Ok(len) = read::<u32>(node, of::DENTRY_NAME() + of::QSTR_LEN()) else {
        return false;
    };
    let Ok(ptr) = read::<Address>(node, of::DENTRY_NAME() + of::QSTR_NAME()) else {
        return false;
    };
    let len = bounded::<255>(len as usize);
    let used = scratch.used as usize;
    if used + len + 1 > MAX_PATH {
        return false;
    }
    let place = bounded::<0x1fff>(at + used);
    if place >= OUT - 256 {
        return false;
    }
    // SAFETY: `place` was just held against the end of `out`, less the longest component and its length byte.
    let failed = unsafe {
        let to = scratch.out.as_mut_ptr().add(place);
        *to = len as u8;
        probe_read_kernel(to.add(1).cast(), len as u32, ptr as *const _) != 0
    };
    if failed {
        return false;
    }
    scratch.used = (used + len + 1) as u32;
    true
}
