//! The forms of a record: one file each, and [`formatter`], which picks one.

pub mod cef;
pub mod ecs;
pub mod formatter;
pub mod native;
pub mod ocsf;
pub mod techniques;
pub mod words;

pub use formatter::Formatter;
