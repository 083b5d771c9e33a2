//! The system call that the running task is in.

use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};
use scopeward_abi::syscall::{TABLE, class};

use super::offsets::{Address, of, read};
use super::task;
use crate::scratch::bounded;

const _: () = assert!(TABLE.is_power_of_two());

/// Class of each system call, filled by the daemon.
#[unsafe(no_mangle)]
static SYSCALL_CLASS: [u8; TABLE] = [0; TABLE];

/// `clone3`, on every architecture.
pub const CLONE3: u64 = 435;

/// The classes of a number: of the native call, and of the 32-bit call that has it.
#[inline(always)]
pub fn classes(number: u64) -> u8 {
    if number >= TABLE as u64 {
        return class::NONE;
    }
    let number = bounded::<{ TABLE as u32 - 1 }>(number as usize);
    // SAFETY: the index is less than the table's length; volatile, because the daemon fills it before loading.
    unsafe { core::ptr::read_volatile((&raw const SYSCALL_CLASS).cast::<u8>().add(number)) }
}

/// A system call.
#[derive(Clone, Copy)]
pub struct Call {
    /// Its number.
    pub number: u64,
    /// `class::*`.
    pub class: u8,
    /// Its first argument.
    pub first: u64,
}

/// What the running task has called. A kernel thread that works for a process, as io_uring has them, is in no call that
/// is looked at: its registers are zero.
#[inline(always)]
pub fn current() -> Call {
    // SAFETY: the running task, as the helper asks for it.
    let regs = unsafe { bpf_task_pt_regs(bpf_get_current_task_btf()) } as Address;
    let number = read(regs, of::REGS_SYSCALL()).unwrap_or(TABLE as u64);
    let compat = task::is_compat();
    let (shift, offset, width) = if compat {
        (class::COMPAT_SHIFT, of::REGS_FIRST_COMPAT(), 0xffff_ffff)
    } else {
        (0, of::REGS_FIRST(), u64::MAX)
    };
    Call {
        number,
        class: classes(number) >> shift & 15,
        first: read::<u64>(regs, offset).unwrap_or(0) & width,
    }
}
