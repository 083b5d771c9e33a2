//! What a technique on a service is given.

use std::io;
use std::path::PathBuf;

use crate::unix_service::Addresses;

/// A service to reach.
pub struct ServiceTarget {
    /// Where it is bound.
    pub at: Addresses,
    /// What to deliver: 16 bytes.
    pub payload: Vec<u8>,
    /// A directory of this attacker.
    pub aside: PathBuf,
    /// The number of the attempt.
    pub trial: usize,
}

impl ServiceTarget {
    /// A path in the attacker's own directory that nothing has yet.
    ///
    /// # Errors
    /// Those of making the directory.
    pub fn aside(&self, what: &str) -> io::Result<PathBuf> {
        std::fs::create_dir_all(&self.aside)?;
        Ok(self
            .aside
            .join(format!("{what}-{}-{}", self.trial, std::process::id())))
    }
}
