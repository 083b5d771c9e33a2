//! A flood of cuts: guarded files opened and forbidden endpoints connected to, over and over.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, connect, socket};
use nix::sys::stat::Mode;

use super::numbered::Numbered;

/// What the flood's files begin with, and end with.
pub const FILE: (&str, &str) = ("violation-", ".flagged");
/// The port of the forbidden endpoints.
const PORT: u16 = 9;

/// The forbidden endpoint of that number, below 65,536.
#[must_use]
pub const fn endpoint(number: u16) -> Ipv4Addr {
    let [high, low] = number.to_be_bytes();
    Ipv4Addr::new(127, 66, high, low)
}

/// How the attempts ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Files that were opened: the scope flags that, and lets it be.
    pub opened: u64,
    /// Connects that were refused.
    pub refused: u64,
    /// Connects that were not.
    pub connected: u64,
}

/// Makes `attempts`, by turns on one of `objects` files in `directory` and on one of as many endpoints.
///
/// # Errors
/// Those of the calls, but for the refusal that is wanted.
pub fn attempt(directory: &Path, objects: u16, attempts: u64) -> io::Result<Attempts> {
    let mut paths = Numbered::new(directory, FILE.0, FILE.1);
    let client = socket(
        AddressFamily::Inet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    let mut done = Attempts::default();
    for number in 0..attempts {
        let object = number / 2 % u64::from(objects.max(1));
        if number % 2 == 0 {
            drop(open(paths.path(object), OFlag::O_RDONLY, Mode::empty())?);
            done.opened += 1;
            continue;
        }
        let [a, b, c, d] = endpoint(u16::try_from(object).unwrap_or(0)).octets();
        match connect(client.as_raw_fd(), &SockaddrIn::new(a, b, c, d, PORT)) {
            Err(Errno::EPERM) => done.refused += 1,
            Err(other) => return Err(other.into()),
            Ok(()) => done.connected += 1,
        }
    }
    Ok(done)
}
