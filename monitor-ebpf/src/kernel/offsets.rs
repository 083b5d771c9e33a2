//! Offsets of the running kernel's structs: constants to the verifier, set by the daemon before loading
//! (`scopeward_abi::layout::FIELDS`). An offset that is not set makes loading fail, it is never read as 0. They have 64
//! bits so that the tests can give one with which every read fails: no kernel address has another top bit.

use aya_ebpf::{Global, helpers::bpf_probe_read_kernel};

macro_rules! offsets {
    ($($name:ident)*) => {
        $(
            #[unsafe(no_mangle)]
            static $name: Global<u64> = Global::new(0);
        )*
        /// Offset of each field that is read, in bytes.
        pub mod of {
            $(
                #[inline(always)]
                #[expect(non_snake_case, reason = "the name of the global")]
                pub fn $name() -> usize {
                    super::$name.load() as usize
                }
            )*
        }
    };
}

offsets! {
    TASK_TGID TASK_REAL_PARENT TASK_GROUP_LEADER TASK_START_BOOTTIME TASK_FILES TASK_FS TASK_MM TASK_CRED TASK_SIGNAL
    TASK_EXIT_CODE TASK_THREAD_INFO SIGNAL_LIVE CRED_EUID FS_PWD FILES_FDT FDTABLE_FD FDTABLE_MAX FILE_INODE FILE_MODE
    FILE_PATH PATH_MNT PATH_DENTRY DENTRY_PARENT DENTRY_NAME DENTRY_INODE QSTR_NAME QSTR_LEN INODE_INO INODE_SB
    INODE_MODE INODE_NLINK INODE_GENERATION SB_DEV MOUNT_MNT MOUNT_PARENT MOUNT_POINT VFSMOUNT_ROOT BPRM_FILE
    BPRM_FILENAME MM_ARG_START MM_ARG_END THREAD_INFO_STATUS URING_REQ_OPCODE URING_CQE_RES REGS_SYSCALL REGS_FIRST
    REGS_FIRST_COMPAT REGS_SECOND REGS_SECOND_COMPAT FILE_PRIVATE SOCKET_SK SOCK_FAMILY SOCK_STATE SOCK_TYPE
    SOCK_PEER_PID UNIX_ADDR UNIX_PATH UNIX_PEER ADDRESS_LEN ADDRESS_NAME PID_NUMBERS REGS_THIRD TASK_THREAD_PID
    TASK_PID_LINKS TASK_NSPROXY NSPROXY_MNT CRED_USER_NS PID_LEVEL PID_TASKS UPID_NS PIDNS_IDR IDR_RT XA_HEAD
    XA_NODE_SHIFT XA_NODE_SLOTS INODE_PRIVATE SB_MAGIC PROC_PID PROC_INODE SIGINFO_CODE
    TASK_CGROUPS FILE_FLAGS BPRM_BUF SOCK_PROTOCOL MSG_NAME MSG_NAMELEN VFSMOUNT_SB SB_FLAGS
    FS_ROOT SOCK_DPORT SOCK_DADDR SOCK_V6_DADDR SOCKET_INODE SOCK_SOCKET MM_EXE
}

/// A kernel address.
pub type Address = u64;

/// Reads a `T` at `base + offset`. Fails where the address is not mapped.
#[inline(always)]
pub fn read<T: Copy>(base: Address, offset: usize) -> Result<T, i32> {
    // SAFETY: the helper checks the address and fails instead of faulting.
    unsafe { bpf_probe_read_kernel((base + offset as u64) as *const T) }
}

/// How kernel memory is read.
pub trait Memory {
    /// Whether it costs so little that a look is worth it to spare another.
    const CHEAP: bool;

    /// Reads a `T` at `base + offset`.
    fn read<T: Copy>(base: Address, offset: usize) -> Result<T, i32>;
}

/// By a helper: from any address.
pub struct Probed;

impl Memory for Probed {
    const CHEAP: bool = false;

    #[inline(always)]
    fn read<T: Copy>(base: Address, offset: usize) -> Result<T, i32> {
        read(base, offset)
    }
}

/// By one instruction: only from a pointer that the verifier knows the type of, an argument of a hook or what was read
/// through one, and that was not in memory meanwhile. What is not mapped reads as zeros.
pub struct Typed;

impl Memory for Typed {
    const CHEAP: bool = true;

    #[inline(always)]
    fn read<T: Copy>(base: Address, offset: usize) -> Result<T, i32> {
        // Some pointers the verifier wants to see held against it.
        if base == 0 {
            return Err(-1);
        }
        // SAFETY: the verifier lets a program read only what the type has, and the kernel mends what faults. Volatile: each
        // field has a type of its own, and reads must not be put together.
        Ok(unsafe { core::ptr::read_volatile((base + offset as u64) as *const T) })
    }
}
