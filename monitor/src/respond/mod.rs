//! Acting on processes and sessions from user space.

pub mod cgroup;
pub mod signal;
