//! The `fanotify` tier: guarded files are refused before the open takes effect, where the kernel
//! gives nothing stronger than tracepoints.
//!
//! Two groups. The permission group asks the [`Arbiter`] about each open of a guarded thing; one
//! thread answers ([`responder`]), and a process of its own ([`watchdog`]) lets everybody go when
//! that thread, or the whole daemon, does not answer in time. The notification group tells what
//! happened to guarded names and inodes ([`changes`]): replaced ones are guarded again, acts of
//! members are handed on. Marks sit on inodes only, never on mounts or filesystems, so that nobody
//! pays for a file that is not guarded.
//!
//! Start reading at [`service::Fanotify`]; `keeper` is the thread that owns the marks.

mod arbiter;
mod changes;
mod devices;
mod guarded;
mod heartbeat;
mod keeper;
mod marked;
mod marks;
mod notice;
mod object;
mod priority;
mod raw;
mod recovery;
mod resolve;
mod responder;
mod service;
mod state;
mod telling;
mod trial;
mod watchdog;

pub use arbiter::{Answer, Arbiter, Change, ChangeKind, Observer, Opening};
pub use devices::Devices;
pub use guarded::{Guarded, NameGlob};
pub use object::generation;
pub use service::{Fanotify, Settings};
pub use state::{Counters, Coverage, FanotifyError, FanotifyState};
pub use trial::trial;
pub use watchdog::{WatchdogJob, watchdog_main};
