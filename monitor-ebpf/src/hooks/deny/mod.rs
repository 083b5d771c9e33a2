//! Security hooks: the act itself is refused. One program for both tiers: the daemon loads it as an LSM program on
//! `bpf_lsm_…` or as `fmod_ret` on `security_…`, whose arguments are the same. Written out, because aya's macro for
//! `fentry` throws the returned value away.

pub mod actor;
pub mod change;
pub mod escape;
pub mod exec;
pub mod file;
pub mod network;
pub mod process;
pub mod unix;
