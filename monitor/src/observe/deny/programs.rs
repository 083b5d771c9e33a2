//! The programs, and the functions that they answer for.

use crate::{observe::btf::Btf, scope::words::Tier};

/// One program of the object.
pub(super) struct Program {
    /// Its name in the object.
    pub(super) name: &'static str,
    /// The LSM hook, behind `bpf_lsm_`.
    lsm: &'static str,
    /// The kernel's function, behind `security_`.
    function: &'static str,
    /// What is left where this kernel has no such function.
    pub(super) lacking: Lacking,
}

/// What is left of a tier without a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    /// Nothing: it is needed.
    Tier,
    /// All but changes to names and attributes of files, which are answered after the act then.
    Changes,
    /// All: older kernels ask by another of these functions.
    Nothing,
}

const fn program(name: &'static str, lsm: &'static str, function: &'static str) -> Program {
    Program {
        name,
        lsm,
        function,
        lacking: Lacking::Tier,
    }
}

const fn change(name: &'static str, function: &'static str) -> Program {
    Program {
        name,
        lsm: function,
        function,
        lacking: Lacking::Changes,
    }
}

/// The first [`TRIED`] in the order in which the trial's child tries them. The rest makes or needs what a trial would
/// leave behind, and is attached like these.
pub(super) const PROGRAMS: [Program; 33] = [
    program("deny_file_open", "file_open", "file_open"),
    program("deny_exec", "bprm_check_security", "bprm_check"),
    program("deny_connect", "socket_connect", "socket_connect"),
    program("deny_send", "socket_sendmsg", "socket_sendmsg"),
    program("deny_socket", "socket_create", "socket_create"),
    program("deny_receive", "file_receive", "file_receive"),
    program("deny_map", "mmap_file", "mmap_file"),
    change("deny_unlink", "path_unlink"),
    change("deny_rmdir", "path_rmdir"),
    change("deny_rename", "path_rename"),
    change("deny_truncate", "path_truncate"),
    change("deny_chmod", "path_chmod"),
    change("deny_chown", "path_chown"),
    change("deny_setxattr", "inode_setxattr"),
    change("deny_removexattr", "inode_removexattr"),
    change("deny_mkdir", "path_mkdir"),
    change("deny_mknod", "path_mknod"),
    change("deny_symlink", "path_symlink"),
    change("deny_link", "path_link"),
    program("own_socket", "socket_post_create", "socket_post_create"),
    program("own_accepted", "socket_accept", "socket_accept"),
    Program {
        lacking: Lacking::Nothing,
        ..change("deny_set_acl", "inode_set_acl")
    },
    program("deny_unix_connect", "unix_stream_connect", "unix_stream_connect"),
    program("deny_unix_send", "unix_may_send", "unix_may_send"),
    program("deny_trace", "ptrace_access_check", "ptrace_access_check"),
    program("deny_signal", "task_kill", "task_kill"),
    program("deny_mount", "sb_mount", "sb_mount"),
    program("deny_move_mount", "move_mount", "move_mount"),
    program("deny_pivot_root", "sb_pivotroot", "sb_pivotroot"),
    program("deny_users", "userns_create", "create_user_ns"),
    program("deny_clone", "task_alloc", "task_alloc"),
    program("deny_capable", "capable", "capable"),
    program("deny_bpf", "bpf", "bpf"),
];

/// How many of [`PROGRAMS`] the trial's child tries.
pub(super) const TRIED: usize = 15;

/// How a program is loaded for a tier.
#[derive(Clone, Copy)]
pub(super) struct As {
    /// `enum bpf_prog_type`.
    pub(super) kind: u32,
    /// `enum bpf_attach_type`.
    pub(super) attach: u32,
    /// The function, by its id in the kernel's BTF.
    pub(super) function: u32,
}

impl Program {
    /// How it is loaded; `None` where this kernel has no such function.
    pub(super) fn load_as(&self, tier: Tier, types: &Btf) -> Option<As> {
        /// `BPF_PROG_TYPE_LSM`, `BPF_LSM_MAC`.
        const LSM: (u32, u32) = (29, 27);
        /// `BPF_PROG_TYPE_TRACING`, `BPF_MODIFY_RETURN`.
        const FMOD_RET: (u32, u32) = (26, 26);
        let ((kind, attach), function) = match tier {
            Tier::Lsm => (LSM, types.function(&format!("bpf_lsm_{}", self.lsm))),
            Tier::FmodRet => (FMOD_RET, types.function(&format!("security_{}", self.function))),
            Tier::Tracepoint | Tier::Fanotify | Tier::Cgroup | Tier::Daemon => return None,
        };
        Some(As {
            kind,
            attach,
            function: function?,
        })
    }
}
