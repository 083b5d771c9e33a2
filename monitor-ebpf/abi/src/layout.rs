//! Sizes and the absence of padding, asserted at compile time; and the table of kernel structs that are read.

use core::mem::{offset_of, size_of};

use crate::{endpoint, event, grant, member, object, policy, sent, used};

const _: () = {
    assert!(size_of::<member::Member>() == 56);
    assert!(size_of::<member::Session>() == 32);
    assert!(size_of::<member::Counts>() == 48);
    assert!(size_of::<object::ObjectKey>() == 24);
    assert!(size_of::<object::Match>() == 32);
    assert!(size_of::<object::NameKey>() == 48);
    assert!(size_of::<policy::Policy>() == 96 + 12 * crate::MAX_SHAPES);
    assert!(size_of::<policy::Entry>() == 4 + 4 * crate::MAX_UNLESS);
    assert!(size_of::<endpoint::EndpointKey>() == 20);
    assert!(size_of::<endpoint::Ports>() == 8 + 12 * crate::MAX_PORTS);
    assert!(size_of::<grant::GrantKey>() == 40);
    assert!(size_of::<grant::Grant>() == 24);
    assert!(size_of::<used::UsedKey>() == 24);
    assert!(size_of::<sent::SentKey>() == 32);
    assert!(size_of::<sent::Sent>() == 16);
    assert!(size_of::<event::Header>() == 56);
    assert!(size_of::<event::Fork>() == 16);
    assert!(size_of::<event::Exec>() == 32);
    assert!(size_of::<event::File>() == 16);
    assert!(size_of::<event::Net>() == 24);
    assert!(size_of::<event::Other>() == 80);
    // What the next version reads of this one's maps when it takes sessions over, whatever else has changed between
    // the two (`observe::handover`): these stay where they are for as long as there are versions.
    assert!(offset_of!(member::Member, session) == 0);
    assert!(offset_of!(member::Member, cookie) == 8);
    assert!(offset_of!(member::Session, policy) == 0);
    assert!(offset_of!(member::Session, mode) == 8);
    assert!(offset_of!(member::Session, state) == 12);
};

/// One field of a kernel struct that the programs read: the global that holds its offset, the struct, the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name of the global in the object.
    pub global: &'static str,
    /// The kernel's struct.
    pub of: &'static str,
    /// The field, through anonymous structs and unions.
    pub field: &'static str,
}

const fn field(global: &'static str, of: &'static str, field: &'static str) -> Field {
    Field { global, of, field }
}

/// Every field that the programs read. The daemon takes the offsets from the running kernel's BTF.
pub const FIELDS: [Field; 95] = [
    field("TASK_TGID", "task_struct", "tgid"),
    field("TASK_REAL_PARENT", "task_struct", "real_parent"),
    field("TASK_GROUP_LEADER", "task_struct", "group_leader"),
    field("TASK_START_BOOTTIME", "task_struct", "start_boottime"),
    field("TASK_FILES", "task_struct", "files"),
    field("TASK_FS", "task_struct", "fs"),
    field("TASK_MM", "task_struct", "mm"),
    field("TASK_CRED", "task_struct", "cred"),
    field("TASK_SIGNAL", "task_struct", "signal"),
    field("TASK_EXIT_CODE", "task_struct", "exit_code"),
    field("SIGNAL_LIVE", "signal_struct", "live"),
    field("CRED_EUID", "cred", "euid"),
    field("FS_PWD", "fs_struct", "pwd"),
    field("FILES_FDT", "files_struct", "fdt"),
    field("FDTABLE_FD", "fdtable", "fd"),
    field("FDTABLE_MAX", "fdtable", "max_fds"),
    field("FILE_INODE", "file", "f_inode"),
    field("FILE_MODE", "file", "f_mode"),
    field("FILE_PATH", "file", "f_path"),
    field("PATH_MNT", "path", "mnt"),
    field("PATH_DENTRY", "path", "dentry"),
    field("DENTRY_PARENT", "dentry", "d_parent"),
    field("DENTRY_NAME", "dentry", "d_name"),
    field("DENTRY_INODE", "dentry", "d_inode"),
    field("QSTR_NAME", "qstr", "name"),
    field("QSTR_LEN", "qstr", "len"),
    field("INODE_INO", "inode", "i_ino"),
    field("INODE_SB", "inode", "i_sb"),
    field("INODE_MODE", "inode", "i_mode"),
    field("INODE_NLINK", "inode", "i_nlink"),
    field("INODE_GENERATION", "inode", "i_generation"),
    field("SB_DEV", "super_block", "s_dev"),
    field("MOUNT_MNT", "mount", "mnt"),
    field("MOUNT_PARENT", "mount", "mnt_parent"),
    field("MOUNT_POINT", "mount", "mnt_mountpoint"),
    field("VFSMOUNT_ROOT", "vfsmount", "mnt_root"),
    field("BPRM_FILE", "linux_binprm", "file"),
    field("BPRM_FILENAME", "linux_binprm", "filename"),
    field("MM_EXE", "mm_struct", "exe_file"),
    field("VFSMOUNT_SB", "vfsmount", "mnt_sb"),
    field("SB_FLAGS", "super_block", "s_flags"),
    field("FS_ROOT", "fs_struct", "root"),
    field("SOCKET_INODE", "socket_alloc", "vfs_inode"),
    field("SOCK_SOCKET", "sock", "sk_socket"),
    field("SOCK_DPORT", "sock_common", "skc_dport"),
    field("SOCK_DADDR", "sock_common", "skc_daddr"),
    field("SOCK_V6_DADDR", "sock_common", "skc_v6_daddr"),
    field("MM_ARG_START", "mm_struct", "arg_start"),
    field("MM_ARG_END", "mm_struct", "arg_end"),
    field("THREAD_INFO_STATUS", "thread_info", "status"),
    field("URING_REQ_OPCODE", "io_kiocb", "opcode"),
    field("URING_CQE_RES", "io_uring_cqe", "res"),
    field("REGS_SYSCALL", "pt_regs", "orig_ax"),
    field("REGS_FIRST", "pt_regs", "di"),
    field("REGS_FIRST_COMPAT", "pt_regs", "bx"),
    field("REGS_SECOND", "pt_regs", "si"),
    field("REGS_SECOND_COMPAT", "pt_regs", "cx"),
    field("TASK_THREAD_INFO", "task_struct", "thread_info"),
    field("TASK_CGROUPS", "task_struct", "cgroups"),
    field("FILE_FLAGS", "file", "f_flags"),
    field("BPRM_BUF", "linux_binprm", "buf"),
    field("SOCK_PROTOCOL", "sock", "sk_protocol"),
    field("MSG_NAME", "msghdr", "msg_name"),
    field("MSG_NAMELEN", "msghdr", "msg_namelen"),
    field("FILE_PRIVATE", "file", "private_data"),
    field("SOCKET_SK", "socket", "sk"),
    field("SOCK_FAMILY", "sock_common", "skc_family"),
    field("SOCK_STATE", "sock_common", "skc_state"),
    field("SOCK_TYPE", "sock", "sk_type"),
    field("SOCK_PEER_PID", "sock", "sk_peer_pid"),
    field("UNIX_ADDR", "unix_sock", "addr"),
    field("UNIX_PATH", "unix_sock", "path"),
    field("UNIX_PEER", "unix_sock", "peer"),
    field("ADDRESS_LEN", "unix_address", "len"),
    field("ADDRESS_NAME", "unix_address", "name"),
    field("PID_NUMBERS", "pid", "numbers"),
    field("REGS_THIRD", "pt_regs", "dx"),
    field("TASK_THREAD_PID", "task_struct", "thread_pid"),
    field("TASK_PID_LINKS", "task_struct", "pid_links"),
    field("TASK_NSPROXY", "task_struct", "nsproxy"),
    field("NSPROXY_MNT", "nsproxy", "mnt_ns"),
    field("CRED_USER_NS", "cred", "user_ns"),
    field("PID_LEVEL", "pid", "level"),
    field("PID_TASKS", "pid", "tasks"),
    field("UPID_NS", "upid", "ns"),
    field("PIDNS_IDR", "pid_namespace", "idr"),
    field("IDR_RT", "idr", "idr_rt"),
    field("XA_HEAD", "xarray", "xa_head"),
    field("XA_NODE_SHIFT", "xa_node", "shift"),
    field("XA_NODE_SLOTS", "xa_node", "slots"),
    field("INODE_PRIVATE", "inode", "i_private"),
    field("SB_MAGIC", "super_block", "s_magic"),
    field("PROC_PID", "proc_inode", "pid"),
    field("PROC_INODE", "proc_inode", "vfs_inode"),
    field("SIGINFO_CODE", "kernel_siginfo", "si_code"),
];

/// What both sides must have been built with: the object carries it, and the daemon looks for it before it loads, so
/// that an object from elsewhere with other fields or structs is refused instead of reading at offset 0.
pub const MARK: [u8; 32] = mark();

const fn mark() -> [u8; 32] {
    let mut mark = *b"scopeward-layout:000000000000000";
    let mut hash = crate::hash::step(crate::hash::BASIS, crate::ABI_VERSION as u64);
    let mut at = 0;
    while at < FIELDS.len() {
        hash = fold(hash, FIELDS[at].global.as_bytes());
        hash = fold(hash, FIELDS[at].field.as_bytes());
        at += 1;
    }
    let sizes = [
        size_of::<member::Member>(),
        size_of::<member::Session>(),
        size_of::<member::Counts>(),
        size_of::<object::Match>(),
        size_of::<object::NameKey>(),
        size_of::<policy::Policy>(),
        size_of::<policy::Entry>(),
        size_of::<endpoint::Ports>(),
        size_of::<event::Header>(),
        size_of::<event::Exec>(),
        event::hook::COUNT,
        event::loss::COUNT,
    ];
    let mut at = 0;
    while at < sizes.len() {
        hash = crate::hash::step(hash, sizes[at] as u64);
        at += 1;
    }
    // 15 digits fit behind the 17 letters.
    let mut digit = 0;
    while digit < 15 {
        let value = (hash >> (digit * 4) & 15) as u8;
        mark[17 + digit] = if value < 10 {
            b'0' + value
        } else {
            b'a' + value - 10
        };
        digit += 1;
    }
    mark
}

const fn fold(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        hash = crate::hash::step(hash, bytes[at] as u64);
        at += 1;
    }
    hash
}
