//! The parts of the running monitor.

pub mod acts;
pub mod arbiter;
pub mod control;
pub mod daemon;
pub mod decisions;
pub mod enrol;
pub mod events;
pub mod evidence;
pub mod fanotify;
pub mod grant_objects;
pub mod grants;
pub mod host_files;
pub mod housekeeping;
pub mod ids;
pub mod memory;
pub mod names;
pub mod notes;
pub mod overflow;
pub mod pending;
pub mod policies;
pub mod scopes;
pub mod second_look;
pub mod sessions;
pub mod state;
pub mod views;
pub mod why;
