//! Where events go: one file each, and [`destination`], which picks one.

pub mod destination;
pub mod file;

pub use destination::Destination;
