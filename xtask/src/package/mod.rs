//! `cargo xtask package`: a Debian package, an RPM and an archive, all made of one tree of files.

mod archives;
mod command;
mod program;
mod sbom;
mod tools;
mod tree;

pub use command::{deb, run};
