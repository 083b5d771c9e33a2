//! The `fanotify` tier on this machine's own kernel, with real processes.
//!
//! Members of the session are processes that a test starts; outsiders do the same acts at the same
//! time. Needs root; without it each test says `skipped: why`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod actor;
mod changes;
mod cost;
mod filesystems;
mod host;
mod opens;
mod refresh;
mod session;
mod watchdog;
