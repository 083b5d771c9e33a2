//! Working memory that the stack (512 bytes) is too small for.

use scopeward_abi::{
    MAX_AFFIX,
    event::{Exec, Header, MAX_ARGV, MAX_FILE, MAX_PATH},
};

use crate::maps::{SCRATCH, SCRATCH_LEVEL};

/// How deep hooks can be nested on one CPU.
pub const LEVELS: u32 = 4;

/// Bytes of the longest event, and as much again as the largest single copy, so that a bounded position plus a
/// bounded length always stays inside.
pub const OUT: usize =
    size_of::<Header>() + size_of::<Exec>() + 2 * MAX_PATH + MAX_FILE + MAX_ARGV + MAX_PATH;

/// One level of working memory.
#[repr(C)]
pub struct Scratch {
    /// The event being built.
    pub out: [u8; OUT],
    /// A path component.
    pub name: [u8; 256],
    /// Hash of the first n bytes of the leaf's name.
    pub prefix: [u64; MAX_AFFIX + 1],
    /// Hash of the last n bytes of the leaf's name.
    pub suffix: [u64; MAX_AFFIX + 1],
    /// Directories on the way up that have names below them.
    pub dirs: [Dir; DIRS],
    /// Hash of the leaf's whole name.
    pub leaf: u64,
    /// Hash of its parent's whole name.
    pub parent: u64,
    /// Length of `name`.
    pub name_len: u32,
    /// How many of `dirs` are used.
    pub dir_count: u32,
    /// Length of the leaf's name.
    pub leaf_len: u32,
    /// Always 0.
    pub pad: u32,
}

/// How many directories with guarded names can lie above one file; more is answered as guarded.
pub const DIRS: usize = 8;

/// A directory with guarded names.
#[repr(C)]
pub struct Dir {
    /// Inode number.
    pub inode: u64,
    /// How many levels above the leaf.
    pub depth: u32,
    /// Always 0.
    pub pad: u32,
}

/// Takes one level of working memory; `None` where all are in use. Give it back with [`release`].
#[inline(always)]
pub fn acquire() -> Option<&'static mut Scratch> {
    let level = SCRATCH_LEVEL.get_ptr_mut(0)?;
    // SAFETY: a valid value of a per-CPU map; programs do not migrate, and what interrupts one ends before it goes on.
    let index = unsafe { *level };
    if index >= LEVELS {
        return None;
    }
    // SAFETY: as above.
    unsafe { *level = index + 1 };
    let Some(scratch) = SCRATCH.get_ptr_mut(index) else {
        release();
        return None;
    };
    // SAFETY: this level belongs to this run of the program alone.
    Some(unsafe { &mut *scratch })
}

/// Gives one level back.
#[inline(always)]
pub fn release() {
    if let Some(level) = SCRATCH_LEVEL.get_ptr_mut(0) {
        // SAFETY: as in `acquire`.
        unsafe { *level = (*level).saturating_sub(1) };
    }
}
