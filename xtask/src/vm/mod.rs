//! `cargo xtask vm`: the kernel tests on Debian's stock kernels, each in a virtual machine.
//!
//! ```text
//! cargo xtask vm                                       every kernel, every profile
//! cargo xtask vm --kernel 6.12 --profile stock         one boot
//! cargo xtask vm --kernel 6.1 --profile no-bpf --run a_tree_and   only tests whose name holds that
//! cargo xtask vm --kernel 7.3 --profile stock --sh 'scopeward doctor'   one command line there, and what it says
//! cargo xtask vm --table                               every technique in every tier, into docs/kernel-support.md
//! cargo xtask vm --count                               instructions per system call, into docs/instructions.md
//! cargo xtask vm --relock                              newest packages of each series into xtask/kernels.lock
//! ```
//!
//! `--kernel` and `--profile` may be given more than once. `--run` is libtest's filter. The binary under test is
//! `SCOPEWARD_BIN` where that is set (a debug build will do), else the release binary, built first. What a boot wrote
//! lies in `target/vm/run/KERNEL-PROFILE/`: `console.log` (the kernel), `results.log` (the tests), `tests.log` (the
//! tests' own words). QEMU and the kernels are unpacked under `target/vm` (or `SCOPEWARD_VM`, to share them between
//! checkouts), nothing is installed; no KVM is used. One boot runs all tests of `tests/kernel` and `tests/evasion`;
//! `SCOPEWARD_TRIALS` goes through (3 where unset), and timeouts are ten times as long (`SCOPEWARD_PATIENCE`).
//!
//! Profiles: `stock` (the kernel's own LSM list), `no-bpf` (that list without `bpf`), `lockdown` (stock and
//! `lockdown=integrity`), `no-ftrace` (stock, and function tracing switched off, where only tracepoints, fanotify and cgroup
//! programs are left).

mod boot;
mod built;
pub mod command;
mod console;
mod counting;
mod image;
pub mod kernels;
mod machine;
pub mod mirror;
mod newc;
mod plan;
mod profile;
mod programs;
pub mod qemu;
pub mod store;
mod table;
mod vmlinux;
