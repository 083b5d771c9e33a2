//! Which session, which process, for whom.

pub mod clock;
pub mod origin;
pub mod owner;
pub mod processes;
pub mod recognise;
pub mod sessions;
