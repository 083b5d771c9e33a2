//! Connections: by the socket's path under every name it can be given, and by abstract name.

use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr};

use super::target::ServiceTarget;

fn deliver(path: &Path, target: &ServiceTarget) -> io::Result<()> {
    UnixStream::connect(path)?.write_all(&target.payload)
}

/// `connect` to the path.
///
/// # Errors
/// Those of the calls.
pub fn path(target: &ServiceTarget) -> io::Result<()> {
    deliver(&target.at.stream, target)
}

/// `connect` from a socket that does not block.
///
/// # Errors
/// Those of the calls.
pub fn nonblocking(target: &ServiceTarget) -> io::Result<()> {
    let kind = SockType::Stream;
    let socket = socket::socket(AddressFamily::Unix, kind, SockFlag::SOCK_NONBLOCK, None)?;
    socket::connect(
        std::os::fd::AsRawFd::as_raw_fd(&socket),
        &UnixAddr::new(&target.at.stream)?,
    )?;
    UnixStream::from(socket).write_all(&target.payload)
}

/// `connect` to a symbolic link to it.
///
/// # Errors
/// Those of the calls.
pub fn symlink(target: &ServiceTarget) -> io::Result<()> {
    let alias = target.aside("link")?;
    std::os::unix::fs::symlink(&target.at.stream, &alias)?;
    deliver(&alias, target)
}

/// `connect` to another name of the socket's file.
///
/// # Errors
/// Those of the calls.
pub fn hard_link(target: &ServiceTarget) -> io::Result<()> {
    let alias = target.aside("hard")?;
    std::fs::hard_link(&target.at.stream, &alias)?;
    deliver(&alias, target)
}

/// `connect` through `/proc/self/root`.
///
/// # Errors
/// Those of the calls.
pub fn proc_root(target: &ServiceTarget) -> io::Result<()> {
    let below = target.at.stream.strip_prefix("/").map_err(io::Error::other)?;
    deliver(&Path::new("/proc/self/root").join(below), target)
}

/// `connect` to a name without a directory, from within it.
///
/// # Errors
/// Those of the calls.
pub fn relative(target: &ServiceTarget) -> io::Result<()> {
    let (Some(directory), Some(name)) = (target.at.stream.parent(), target.at.stream.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    std::env::set_current_dir(directory)?;
    deliver(Path::new(name), target)
}

/// `connect` below a bind mount in a mount namespace of its own.
///
/// # Errors
/// Those of the calls.
pub fn bind_mount(target: &ServiceTarget) -> io::Result<()> {
    let (Some(directory), Some(name)) = (target.at.stream.parent(), target.at.stream.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let alias: PathBuf = target.aside("mount")?;
    std::fs::create_dir(&alias)?;
    mount(Some(directory), &alias, none, MsFlags::MS_BIND, none)?;
    deliver(&alias.join(name), target)
}

/// `connect` to an abstract name.
///
/// # Errors
/// Those of the calls.
pub fn abstract_name(target: &ServiceTarget) -> io::Result<()> {
    let address = SocketAddr::from_abstract_name(&target.at.abstract_stream)?;
    UnixStream::connect_addr(&address)?.write_all(&target.payload)
}
