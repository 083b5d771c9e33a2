//! The hooks, one family a file. Each states the kernel's prototype that it relies on and its fail direction.

pub mod act;
pub mod adopt;
pub mod candidate;
pub mod change;
pub mod connect;
pub mod deny;
pub mod escape;
pub mod exec;
pub mod exit;
pub mod file_open;
pub mod file_use;
pub mod fork;
pub mod heartbeat;
pub mod map;
pub mod process;
pub mod removal;
pub mod sent;
pub mod socket;
pub mod unix;
