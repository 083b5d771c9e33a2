//! `struct pid`: from the numbers and descriptors that a system call was given to the process that is meant.

use super::offsets::{Address, Memory, of, read};
use super::task;

/// The process, as the host numbers it, that has `number` in the pid namespace of the running task; `None` where it has
/// ended.
#[inline(always)]
pub fn by_number(number: u32) -> Result<Option<u32>, i32> {
    let own: Address = read(task::current(), of::TASK_THREAD_PID())?;
    let level: u32 = read(own, of::PID_LEVEL())?;
    /// Bytes of `struct upid`: the number, and the namespace behind it.
    const UPID: u64 = 16;
    let upid = own + of::PID_NUMBERS() as u64 + u64::from(level & 31) * UPID;
    let namespace: Address = read(upid, of::UPID_NS())?;
    let mut entry: Address = read(namespace, of::PIDNS_IDR() + of::IDR_RT() + of::XA_HEAD())?;
    // Six bits a level: four levels hold 2^24 numbers, and pid_max is at most 2^22.
    for _ in 0..5 {
        // Low bits 10: an inner node (`xa_is_node`).
        if entry & 3 != 2 {
            break;
        }
        let node = entry - 2;
        let shift: u8 = read(node, of::XA_NODE_SHIFT())?;
        let slot = u64::from(number >> (shift & 31)) & 63;
        entry = read(node + slot * 8, of::XA_NODE_SLOTS())?;
    }
    process(entry)
}

/// The process of a `struct pid`; `None` where it has ended.
#[inline(always)]
pub fn process(pid: Address) -> Result<Option<u32>, i32> {
    if pid == 0 || pid & 3 != 0 {
        return Ok(None);
    }
    let first: Address = read(pid, of::PID_TASKS())?;
    if first == 0 {
        return Ok(None);
    }
    task::tgid(first - of::TASK_PID_LINKS() as u64).map(Some)
}

/// The process behind a descriptor of `pidfd_open`: since 6.9 in the inode, before that in the file.
#[inline(always)]
pub fn by_descriptor(fd: u64) -> Result<Option<u32>, i32> {
    let file = task::file(task::current(), fd)?;
    let inode: Address = read(file, of::FILE_INODE())?;
    let pid: Address = read(inode, of::INODE_PRIVATE())?;
    if pid != 0 {
        return process(pid);
    }
    process(read(file, of::FILE_PRIVATE())?)
}

/// The process that a file of `/proc` is about; `None` for any other file.
#[inline(always)]
pub fn of_proc<M: Memory>(file: Address) -> Result<Option<u32>, i32> {
    /// `PROC_SUPER_MAGIC`.
    const PROC: u64 = 0x9fa0;
    let inode: Address = M::read(file, of::FILE_INODE())?;
    let sb: Address = M::read(inode, of::INODE_SB())?;
    let magic: u64 = M::read(sb, of::SB_MAGIC())?;
    if magic != PROC {
        return Ok(None);
    }
    // What lies around the inode is none of its type's.
    let inode: Address = read(file, of::FILE_INODE())?;
    let about = inode - of::PROC_INODE() as u64;
    process(read(about, of::PROC_PID())?)
}
