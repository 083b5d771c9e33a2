//! Working memory that the stack (512 bytes) is too small for.

use aya_ebpf::helpers::generated::bpf_loop;
use scopeward_abi::{
    MAX_AFFIX,
    event::{Exec, Header, MAX_ARGV, MAX_FILE, MAX_PATH},
    member::Member,
};

use crate::emit::add;
use crate::hooks::change::Decided;
use crate::kernel::file::Facts;
use crate::maps::{SCRATCH, SCRATCH_USED};
use crate::matching::Hits;

/// How many runs of programs can be under way on one CPU: hooks nested in each other, and tasks that were preempted in
/// one.
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
    /// A path component, in words.
    pub name: [u64; 32],
    /// Hash of the first n bytes of the leaf's name; of the whole at 65. As long as the mask of an index.
    pub prefix: [u64; AFFIXES],
    /// Hash of the last n bytes of the leaf's name.
    pub suffix: [u64; AFFIXES],
    /// Directories on the way up that have names below them.
    pub dirs: [Dir; DIRS],
    /// Hash of its parent's whole name.
    pub parent: u64,
    /// Length of `name`.
    pub name_len: u32,
    /// How many of `dirs` are used.
    pub dir_count: u32,
    /// Length of the leaf's name.
    pub leaf_len: u32,
    /// Bytes that [`crate::kernel::file::render`] has written. Kept here and not in a register, because the verifier
    /// does not follow what is in memory: the states of a loop's many ends become one.
    pub used: u32,
    /// Whether it had to cut the path: 0 or 1.
    pub cut: u32,
    /// Whether a directory on the way up has children that are guarded trees: 0 or 1.
    pub child_trees: u32,
    /// Shapes (a bit each) in which some directory guards the leaf's name below it.
    pub below: u32,
    /// Which level this is.
    pub level: u32,
    /// What was matched; here for the same reason.
    pub hits: Hits,
    /// The same of a program, looked for among programs.
    pub program_hits: Hits,
    /// What it was looked for: here, because the frames of all calls together have 512 bytes.
    pub facts: Facts,
    /// The hash of an abstract socket's name; 0 for what has a file.
    pub socket_name: u64,
    /// A process as it would be.
    pub member: Member,
    /// The epoch of the rules, before a file was looked for.
    pub epoch: u64,
    /// The hash of a path as a text.
    pub text: u64,
    /// What was decided about a change.
    pub decided: Decided,
    /// Dentry, mount and use of each end of a change.
    pub ends: [(u64, u64, u64); 2],
}

/// Indices of `prefix` and `suffix` are held below this.
pub const AFFIXES: usize = 128;
const _: () = assert!(MAX_AFFIX + 1 < AFFIXES);

/// How many directories with guarded names can lie above one file; more is answered as guarded.
pub const DIRS: usize = 4;

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
///
/// A task can be preempted in a security hook, and another one comes by on the same CPU and may end later: levels are
/// not a stack. Whoever counts a level from 0 to 1 has it; two who meet there both go on to the next.
#[inline(never)]
pub fn acquire() -> Option<&'static mut Scratch> {
    for level in 0..LEVELS {
        // SAFETY: a value of a per-CPU map, changed by atomic adds alone; programs do not migrate.
        let used = SCRATCH_USED
            .get_ptr_mut(level)
            .map(|used| unsafe { &mut *used })?;
        add(used, 1);
        // SAFETY: as above.
        if unsafe { core::ptr::read_volatile(used) } == 1 {
            // SAFETY: this level belongs to this run of the program alone.
            let scratch = SCRATCH
                .get_ptr_mut(level)
                .map(|scratch| unsafe { &mut *scratch })?;
            scratch.level = level;
            return Some(scratch);
        }
        add(used, u64::MAX);
    }
    None
}

/// Gives a level back.
#[inline(always)]
pub fn release(scratch: &mut Scratch) {
    if let Some(used) = SCRATCH_USED.get_ptr_mut(scratch.level) {
        // SAFETY: as in `acquire`; adding the greatest number takes one away.
        add(unsafe { &mut *used }, u64::MAX);
    }
}

/// `value & MASK`, in a way that the compiler cannot reason away: the verifier needs to see the bound right where it
/// is relied on.
#[inline(always)]
pub fn bounded<const MASK: u32>(value: usize) -> usize {
    let mut value = value as u64;
    // SAFETY: a plain register operation.
    unsafe { core::arch::asm!("{0} &= {1}", inout(reg) value, const MASK, options(pure, nomem, nostack)) };
    value as usize
}

/// Reads a count anew from memory. A loop's end is held against this and not against a register, because each
/// comparison tells the verifier something about a register's value, and it would follow every value apart.
#[inline(always)]
pub fn anew(count: &u32) -> usize {
    // SAFETY: a valid reference.
    unsafe { core::ptr::read_volatile(count) as usize }
}

/// Calls `step` with 0, 1, … up to `times` - 1, until it returns 1. `bpf_loop` (5.17): the verifier looks at the step
/// once, where it would follow every turn of a loop that is written out.
#[inline(always)]
pub fn repeat<C>(times: usize, step: unsafe extern "C" fn(u32, *mut C) -> i64, context: &mut C) {
    // SAFETY: `step` is called with the pointer that is given here, while it is borrowed.
    unsafe {
        bpf_loop(
            times as u32,
            step as *const () as *mut core::ffi::c_void,
            core::ptr::from_mut(context).cast(),
            0,
        )
    };
}
