//! `struct pid`: from the numbers and descriptors that a system call was given to the process that is meant.

use super::offsets::{Address, Memory, of, read};
use super::task;

/// The process, as the host numbers it, that has `number` in the pid namespace of the running task.
#[inline(always)]
pub fn by_number(number: u32) -> Option<u32> {
    let own: Address = read(task::current(), of::TASK_THREAD_PID()).ok()?;
    let level: u32 = read(own, of::PID_LEVEL()).ok()?;
    /// Bytes of `struct upid`: the number, and the namespace behind it.
    const UPID: u64 = 16;
    let upid = own + of::PID_NUMBERS() as u64 + u64::from(level & 31) * UPID;
    let namespace: Address = read(upid, of::UPID_NS()).ok()?;
    let mut entry: Address = read(namespace, of::PIDNS_IDR() + of::IDR_RT() + of::XA_HEAD()).ok()?;
    // Six bits a level: four levels hold 2^24 numbers, and pid_max is at most 2^22.
    for _ in 0..5 {
        // Low bits 10: an inner node (`xa_is_node`).
        if entry & 3 != 2 {
            break;
        }
        let node = entry - 2;
        let shift: u8 = read(node, of::XA_NODE_SHIFT()).ok()?;
        let slot = u64::from(number >> (shift & 31)) & 63;
        entry = read(node + slot * 8, of::XA_NODE_SLOTS()).ok()?;
    }
    process(entry)
}

/// The process of a `struct pid`; `None` where it has ended.
#[inline(always)]
pub fn process(pid: Address) -> Option<u32> {
    if pid == 0 || pid & 3 != 0 {
        return None;
    }
    let first: Address = read(pid, of::PID_TASKS()).ok()?;
    if first == 0 {
        return None;
    }
    task::tgid(first - of::TASK_PID_LINKS() as u64).ok()
}

/// The process behind a descriptor of `pidfd_open`: since 6.9 in the inode, before that in the file.
#[inline(always)]
pub fn by_descriptor(fd: u64) -> Option<u32> {
    let file = task::file(task::current(), fd).ok()?;
    let inode: Address = read(file, of::FILE_INODE()).ok()?;
    let pid: Address = read(inode, of::INODE_PRIVATE()).ok()?;
    if pid != 0 {
        return process(pid);
    }
    process(read(file, of::FILE_PRIVATE()).ok()?)
}

/// The process that a file of `/proc` is about; `None` for any other file.
#[inline(always)]
pub fn of_proc<M: Memory>(file: Address) -> Option<u32> {
    /// `PROC_SUPER_MAGIC`.
    const PROC: u64 = 0x9fa0;
    let inode: Address = M::read(file, of::FILE_INODE()).ok()?;
    let sb: Address = M::read(inode, of::INODE_SB()).ok()?;
    let magic: u64 = M::read(sb, of::SB_MAGIC()).ok()?;
    if magic != PROC {
        return None;
    }
    // What lies around the inode is none of its type's.
    let inode: Address = read(file, of::FILE_INODE()).ok()?;
    let about = inode - of::PROC_INODE() as u64;
    process(read(about, of::PROC_PID()).ok()?)
}
