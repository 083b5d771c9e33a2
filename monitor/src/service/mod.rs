//! The parts of the running monitor.

pub mod acts;
pub mod answers;
pub mod arbiter;
pub mod arguments;
pub mod cases;
pub mod control;
pub mod cuts;
pub mod daemon;
pub mod enrol;
pub mod events;
pub mod fanotify;
pub mod host_files;
pub mod housekeeping;
pub mod memory;
pub mod names;
pub mod notes;
pub mod overflow;
pub mod policies;
pub mod recall;
pub mod report;
pub mod scopes;
pub mod second_look;
pub mod sessions;
pub mod state;
pub mod views;
pub mod why;
