//! `cargo xtask install-test`: the Debian package on a whole Debian system in a virtual machine, from its installation over a
//! reboot, an upgrade during a session and a removal to its purge.

mod command;
mod image;
mod machine;
mod results;

pub use command::run;
