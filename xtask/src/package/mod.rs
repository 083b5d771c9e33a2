//! `cargo xtask package`: a Debian package, an RPM and an archive, all of one set of files; the archive's program
//! has musl linked in.

mod archives;
mod command;
mod musl;
mod program;
mod sbom;
mod tools;
mod tree;

pub use command::{deb, run};
