//! What is known to be missing, and what follows. A gap that is not here fails the check, and so does one that is here
//! and is none.

/// Something that kernels of a series do not have.
pub struct Gap {
    /// The series, or `*` for all.
    pub series: &'static str,
    /// The architecture, or `*` for all.
    pub architecture: &'static str,
    /// What is missing, as the check calls it.
    pub what: &'static str,
    /// What follows.
    pub means: &'static str,
}

const fn gap(
    series: &'static str,
    architecture: &'static str,
    what: &'static str,
    means: &'static str,
) -> Gap {
    Gap {
        series,
        architecture,
        what,
        means,
    }
}

/// Every known gap.
pub const GAPS: &[Gap] = &[
    gap("5.10", "*", "helper 181", NO_LOOP),
    gap("5.10", "*", "helper 158", NO_REGISTERS),
    gap("5.10", "*", "helper 175", NO_REGISTERS),
    gap("5.10", "*", "hook tp_btf/sk_data_ready", NO_DATA_READY),
    gap("6.1", "*", "hook tp_btf/sk_data_ready", NO_DATA_READY),
    gap("5.10", "*", "hook fentry/security_inode_set_acl", ACL_BY_XATTR),
    gap("6.1", "*", "hook fentry/security_inode_set_acl", ACL_BY_XATTR),
    gap(
        "5.10",
        "*",
        "hook fentry/security_create_user_ns",
        NO_USER_NAMESPACES,
    ),
    gap("*", "arm64", "field pt_regs.orig_ax", OTHER_REGISTERS),
    gap("*", "arm64", "field pt_regs.di", OTHER_REGISTERS),
    gap("*", "arm64", "field pt_regs.bx", OTHER_REGISTERS),
    gap("*", "arm64", "field pt_regs.si", OTHER_REGISTERS),
    gap("*", "arm64", "field pt_regs.cx", OTHER_REGISTERS),
    gap("*", "arm64", "field pt_regs.dx", OTHER_REGISTERS),
    gap("*", "arm64", "field thread_info.status", OTHER_COMPAT),
];

const NO_LOOP: &str =
    "bpf_loop came with 5.17: no program that walks directories loads, so no agent can be held here";
const NO_REGISTERS: &str =
    "bpf_get_current_task_btf came with 5.11 and bpf_task_pt_regs with 5.15: nothing is held before either";
const NO_USER_NAMESPACES: &str = "the function came with 6.1: nothing is held before 5.17 anyhow";
const NO_DATA_READY: &str =
    "the tracepoint came with 6.3: what is sent to a unix socket without a connect is not seen here";
const ACL_BY_XATTR: &str =
    "the function came with 6.2: access lists are set by setxattr here, which has a hook";
const OTHER_REGISTERS: &str =
    "x86's name of a register (aarch64: syscallno, orig_x0): the daemon refuses to start here";
const OTHER_COMPAT: &str =
    "aarch64 marks a 32-bit call in thread_info.flags: the daemon refuses to start here";

/// The known gap that `what` is, on this kernel.
pub fn known(series: &str, architecture: &str, what: &str) -> Option<&'static Gap> {
    GAPS.iter()
        .find(|gap| gap.fits(series, architecture) && gap.what == what)
}

impl Gap {
    /// Whether it is about this kernel.
    pub fn fits(&self, series: &str, architecture: &str) -> bool {
        let is = |said: &str, asked: &str| said == "*" || said == asked;
        is(self.series, series) && is(self.architecture, architecture)
    }
}
