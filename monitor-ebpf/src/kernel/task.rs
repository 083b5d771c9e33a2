//! `struct task_struct`.

use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_get_current_task_btf};

use super::offsets::{Address, Memory as _, Typed, of, read};

/// The running task.
#[inline(always)]
pub fn current() -> Address {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_get_current_task() }
}

/// Its process id.
#[inline(always)]
pub fn tgid(task: Address) -> Result<u32, i32> {
    read(task, of::TASK_TGID())
}

/// The cookie of its process: when the group leader started. Survives exec and `de_thread`.
#[inline(always)]
pub fn cookie(task: Address) -> Result<u64, i32> {
    let leader: Address = read(task, of::TASK_GROUP_LEADER())?;
    read(leader, of::TASK_START_BOOTTIME())
}

/// The cookie of the running process.
#[inline(always)]
pub fn own_cookie() -> Result<u64, i32> {
    Typed::read(own_leader()?, of::TASK_START_BOOTTIME())
}

/// The first thread of the running process.
#[inline(always)]
pub fn own_leader() -> Result<Address, i32> {
    Typed::read(typed(), of::TASK_GROUP_LEADER())
}

/// The running task, for [`Typed`].
#[inline(always)]
fn typed() -> Address {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_get_current_task_btf() as Address }
}

/// The process id of its parent.
#[inline(always)]
pub fn ppid(task: Address) -> Result<u32, i32> {
    let parent: Address = read(task, of::TASK_REAL_PARENT())?;
    tgid(parent)
}

/// Its effective user id.
#[inline(always)]
pub fn euid(task: Address) -> Result<u32, i32> {
    let cred: Address = read(task, of::TASK_CRED())?;
    read(cred, of::CRED_EUID())
}

/// Whether this was the last thread of its process (at `sched_process_exit` the count is already lowered).
#[inline(always)]
pub fn is_last_thread(task: Address) -> Result<bool, i32> {
    let signal: Address = read(task, of::TASK_SIGNAL())?;
    let live: i32 = read(signal, of::SIGNAL_LIVE())?;
    Ok(live == 0)
}

/// Whether the running task is in a 32-bit system call (`TS_COMPAT` of x86).
#[inline(always)]
pub fn is_compat() -> bool {
    const TS_COMPAT: u32 = 2;
    let offset = of::TASK_THREAD_INFO() + of::THREAD_INFO_STATUS();
    Typed::read::<u32>(typed(), offset).is_ok_and(|status| status & TS_COMPAT != 0)
}

/// The file behind a descriptor of the task.
#[inline(always)]
pub fn file(task: Address, fd: u64) -> Result<Address, i32> {
    let files: Address = read(task, of::TASK_FILES())?;
    let table: Address = read(files, of::FILES_FDT())?;
    let max: u32 = read(table, of::FDTABLE_MAX())?;
    if fd >= u64::from(max) {
        return Err(-1);
    }
    let array: Address = read(table, of::FDTABLE_FD())?;
    read(array + fd * 8, 0)
}
