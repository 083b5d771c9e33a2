//! What this kernel gives: loading, attaching, and the events that come out of the ring.

pub mod attach;
pub mod btf;
pub mod deny;
pub mod fanotify;
pub mod handover;
pub mod iterate;
pub mod lacking;
pub mod load;
pub mod maps;
pub mod memberships;
pub mod mounts;
pub mod offsets;
pub mod probe;
pub mod ring;
mod sent;
mod shared;
pub mod syscalls;
