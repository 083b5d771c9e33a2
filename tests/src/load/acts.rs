//! The acts whose cost a monitor changes.

use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::socket::sockopt::Linger;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, accept4, bind, connect, getsockname, listen,
    setsockopt, socket,
};
use nix::sys::stat::Mode;
use nix::unistd::getppid;
use nix::{NixPath, libc};

use super::numbered::c_path;
use super::sample::{Sample, nanos, sample};
use super::spawn::Program;

/// The acts, in the order of the table.
pub const NAMES: [&str; 7] = [
    "getppid",
    "open_close",
    "failed_open",
    "tcp_connect",
    "udp_connect",
    "udp_reconnect",
    "fork_exec",
];

/// What the acts need.
pub struct Places {
    /// A file that is there.
    pub file: PathBuf,
    /// A program that does nothing.
    pub program: PathBuf,
}

/// Samples one of [`NAMES`] for `length`.
///
/// # Errors
/// Those of the act; `InvalidInput` for another name.
pub fn measure(name: &str, places: &Places, length: Duration) -> io::Result<Sample> {
    match name {
        "getppid" => sample(length, || {
            std::hint::black_box(getppid());
            Ok(0)
        }),
        "open_close" => open_close(&places.file, length),
        "failed_open" => failed_open(&places.file.with_file_name("no-such-file"), length),
        "tcp_connect" => tcp_connect(length),
        "udp_connect" => udp_connect(length),
        "udp_reconnect" => udp_reconnect(length),
        "fork_exec" => {
            let program = Program::new(&places.program)?;
            sample(length, || program.run().map(|()| 0))
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("no act {name}"),
        )),
    }
}

fn open_close(path: &Path, length: Duration) -> io::Result<Sample> {
    let path = c_path(path)?;
    sample(length, || {
        drop(open(path.as_c_str(), OFlag::O_RDONLY, Mode::empty())?);
        Ok(0)
    })
}

fn failed_open(path: &Path, length: Duration) -> io::Result<Sample> {
    let path = c_path(path)?;
    sample(length, || fails(path.as_c_str()).map(|()| 0))
}

fn fails<P: ?Sized + NixPath>(path: &P) -> io::Result<()> {
    match open(path, OFlag::O_RDONLY, Mode::empty()) {
        Err(Errno::ENOENT) => Ok(()),
        Err(other) => Err(other.into()),
        Ok(_) => Err(io::Error::other("a file that is not there was opened")),
    }
}

/// socket + connect to a listener on loopback. Accepting and closing are not timed: they are the other side's.
fn tcp_connect(length: Duration) -> io::Result<Sample> {
    let listener = stream()?;
    bind(listener.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0))?;
    listen(&listener, Backlog::new(16)?)?;
    let address: SockaddrIn = getsockname(listener.as_raw_fd())?;
    // Closed with a reset, or the ports would be used up by connections that wait for late packets.
    let reset = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    sample(length, || {
        let client = stream()?;
        connect(client.as_raw_fd(), &address)?;
        let connected = Instant::now();
        let accepted = accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC)?;
        setsockopt(&client, Linger, &reset)?;
        drop(client);
        nix::unistd::close(accepted)?;
        Ok(nanos(connected.elapsed()))
    })
}

fn stream() -> nix::Result<std::os::fd::OwnedFd> {
    socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
}

fn datagram() -> nix::Result<std::os::fd::OwnedFd> {
    socket(
        AddressFamily::Inet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
}

/// socket + connect + close, as every look-up of a name does it. Nothing is sent.
fn udp_connect(length: Duration) -> io::Result<Sample> {
    let address = SockaddrIn::new(127, 0, 0, 1, 9);
    sample(length, || {
        let client = datagram()?;
        connect(client.as_raw_fd(), &address)?;
        drop(client);
        Ok(0)
    })
}

/// The connect alone, on one socket: the smallest act that the network hooks are part of.
fn udp_reconnect(length: Duration) -> io::Result<Sample> {
    let address = SockaddrIn::new(127, 0, 0, 1, 9);
    let client = datagram()?;
    sample(length, || {
        connect(client.as_raw_fd(), &address)?;
        Ok(0)
    })
}
