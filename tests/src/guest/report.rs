//! The machine's report, line by line to its second serial port.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nix::libc;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

/// The second serial port.
pub const PORT: &str = "/dev/ttyS1";

/// Where lines go; each bears the nonce, a word for its kind and a text.
pub struct Report {
    port: Mutex<File>,
    nonce: String,
}

impl Report {
    /// A report to the serial port `path`, under `nonce`.
    ///
    /// # Errors
    /// Those of opening and setting the port.
    pub fn open(path: &Path, nonce: &str) -> io::Result<Self> {
        let port = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NOCTTY)
            .open(path)?;
        let mut settings = tcgetattr(&port)?;
        cfmakeraw(&mut settings);
        tcsetattr(&port, SetArg::TCSANOW, &settings)?;
        Ok(Self {
            port: Mutex::new(port),
            nonce: nonce.to_owned(),
        })
    }

    /// Writes one line. A machine whose port is gone has nobody to tell so: the host then misses the verdict.
    pub fn say(&self, kind: &str, text: &str) {
        let line = format!("{} {kind} {}\n", self.nonce, text.trim_end_matches(['\r', '\n']));
        let mut port = self.port.lock().unwrap_or_else(PoisonError::into_inner);
        port.write_all(line.as_bytes()).ok();
    }

    /// Waits until the host has everything.
    ///
    /// # Errors
    /// Those of `tcdrain`.
    pub fn drain(&self) -> io::Result<()> {
        let port = self.port.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(nix::sys::termios::tcdrain(&*port)?)
    }
}
