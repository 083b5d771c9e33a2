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
}

const fn program(name: &'static str, lsm: &'static str, function: &'static str) -> Program {
    Program { name, lsm, function }
}

/// How many of [`PROGRAMS`] the trial's child tries: those whose act harms nobody where it is not refused.
pub(super) const TRIED: usize = 5;

/// In the order in which the trial's child tries them, and then the rest.
pub(super) const PROGRAMS: [Program; 16] = [
    program("deny_file_open", "file_open", "file_open"),
    program("deny_exec", "bprm_check_security", "bprm_check"),
    program("deny_connect", "socket_connect", "socket_connect"),
    program("deny_send", "socket_sendmsg", "socket_sendmsg"),
    program("deny_socket", "socket_create", "socket_create"),
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
