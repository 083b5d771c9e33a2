//! Ways out of the session, ways to see things under other names, and bpf.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

use super::target::{OutsiderTarget, done};
use crate::attack::files::accomplice::{clone_with, leave};
use crate::attack::files::target::wait_for;

/// `unshare` of the mount namespace.
///
/// # Errors
/// Those of the call.
pub fn unshare_mounts(_target: &OutsiderTarget) -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWNS)?)
}

/// `unshare` of the user namespace.
///
/// # Errors
/// Those of the call.
pub fn unshare_users(_target: &OutsiderTarget) -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWUSER)?)
}

/// A child in user and mount namespaces of its own.
///
/// # Errors
/// Those of the call.
pub fn clone_users(_target: &OutsiderTarget) -> io::Result<()> {
    let child = clone_with(libc::CLONE_NEWUSER | libc::CLONE_NEWNS)?;
    if child == 0 {
        leave();
    }
    wait_for(child).map(drop)
}

/// A namespace that shows no file under another name.
///
/// # Errors
/// Those of the call.
pub fn unshare_host_name(_target: &OutsiderTarget) -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWUTS)?)
}

/// `setns` into a namespace of another process.
///
/// # Errors
/// Those of the calls.
pub fn join(target: &OutsiderTarget) -> io::Result<()> {
    let namespace = File::open(format!("/proc/{}/ns/uts", target.pid))?;
    Ok(setns(namespace, CloneFlags::CLONE_NEWUTS)?)
}

/// `chroot`.
///
/// # Errors
/// Those of the calls.
pub fn chroot(target: &OutsiderTarget) -> io::Result<()> {
    let root = target.aside("root")?;
    std::fs::create_dir(&root)?;
    Ok(nix::unistd::chroot(&root)?)
}

/// A directory of its own as the working directory.
///
/// # Errors
/// Those of the calls.
pub fn chdir(target: &OutsiderTarget) -> io::Result<()> {
    let directory = target.aside("directory")?;
    std::fs::create_dir(&directory)?;
    Ok(nix::unistd::chdir(&directory)?)
}

/// A file system of its own, in the attacker's directory; taken away again where nobody stops it.
///
/// # Errors
/// Those of the calls.
pub fn mount_own(target: &OutsiderTarget) -> io::Result<()> {
    let at = target.aside("mount")?;
    std::fs::create_dir(&at)?;
    mount(Some("none"), &at, Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
    Ok(umount2(&at, MntFlags::MNT_DETACH)?)
}

fn file_system() -> io::Result<OwnedFd> {
    // SAFETY: a name that lives; the descriptor is fresh.
    unsafe {
        let fd = done(libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), 1))?;
        Ok(OwnedFd::from_raw_fd(i32::try_from(fd).map_err(io::Error::other)?))
    }
}

/// A file system of its own that is mounted nowhere: whoever has its descriptor sees what is in it.
///
/// # Errors
/// Those of the calls.
pub fn mount_nowhere(_target: &OutsiderTarget) -> io::Result<()> {
    const CREATE: libc::c_int = 6;
    let context = file_system()?;
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: integers and nulls.
    done(unsafe { libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), CREATE, none, none, 0) })?;
    // SAFETY: integers.
    done(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), 1, 0) }).map(drop)
}

/// Asks which parameters a file system takes, and makes none.
///
/// # Errors
/// Those of the call.
pub fn file_system_context(_target: &OutsiderTarget) -> io::Result<()> {
    file_system().map(drop)
}

/// Takes away what [`mount_own`] left below `directory`.
///
/// # Errors
/// Those of the calls.
pub fn remove_mounts(directory: &Path) -> io::Result<()> {
    for line in std::fs::read_to_string("/proc/self/mounts")?.lines() {
        let at = line.split(' ').nth(1).map(PathBuf::from);
        if let Some(at) = at.filter(|at| at.starts_with(directory)) {
            umount2(&at, MntFlags::MNT_DETACH)?;
        }
    }
    Ok(())
}

/// Asks `bpf` for the maps of the host, of which there is one: its own.
///
/// # Errors
/// Those of the calls.
pub fn bpf_enumerate(target: &OutsiderTarget) -> io::Result<()> {
    const MAP_GET_NEXT_ID: libc::c_int = 12;
    bpf_own_map(target)?;
    bpf(MAP_GET_NEXT_ID, &mut [0u32; 32])
}

/// Makes a map of its own.
///
/// # Errors
/// Those of the call.
pub fn bpf_own_map(_target: &OutsiderTarget) -> io::Result<()> {
    const MAP_CREATE: libc::c_int = 0;
    // An array of one value of four bytes.
    let mut attributes = [0u32; 32];
    attributes[..4].copy_from_slice(&[2, 4, 4, 1]);
    bpf(MAP_CREATE, &mut attributes)
}

fn bpf(command: libc::c_int, attributes: &mut [u32; 32]) -> io::Result<()> {
    // SAFETY: 128 bytes that live.
    done(unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_mut_ptr(), 128) }).map(drop)
}

/// The root of cgroup v2, where it is mounted.
///
/// # Errors
/// `NotFound` where it is not.
pub fn cgroup_root() -> io::Result<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    let of = |line: &str| {
        let mut words = line.split(' ');
        let (_, at, kind) = (words.next()?, words.next()?, words.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(at))
    };
    mounts
        .lines()
        .find_map(of)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The name of the cgroup that this process makes for itself.
const OWN_CGROUP: &str = "scopeward-tests-attack";

fn own_cgroup() -> io::Result<PathBuf> {
    let own = cgroup_root()?.join(OWN_CGROUP);
    match std::fs::create_dir(&own) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    Ok(own)
}

/// Moves itself to another cgroup.
///
/// # Errors
/// Those of the calls.
pub fn leave_cgroup(_target: &OutsiderTarget) -> io::Result<()> {
    std::fs::write(own_cgroup()?.join("cgroup.procs"), std::process::id().to_string())
}

/// Starts a child in another cgroup.
///
/// # Errors
/// Those of the calls.
pub fn start_in_cgroup(_target: &OutsiderTarget) -> io::Result<()> {
    const INTO_CGROUP: u64 = 1 << 33;
    let directory = File::open(own_cgroup()?)?;
    clone3([INTO_CGROUP, u64::from(directory.as_raw_fd().unsigned_abs())])
}

/// Starts a child where it is itself.
///
/// # Errors
/// Those of the calls.
pub fn start_at_home(_target: &OutsiderTarget) -> io::Result<()> {
    clone3([0, 0])
}

/// `clone3` with these flags and this cgroup, by its descriptor.
fn clone3([flags, cgroup]: [u64; 2]) -> io::Result<()> {
    // `struct clone_args`.
    let mut arguments = [0u64; 11];
    arguments[0] = flags;
    arguments[4] = u64::from(libc::SIGCHLD.unsigned_abs());
    arguments[10] = cgroup;
    let size = size_of_val(&arguments);
    // SAFETY: without CLONE_VM or a stack this is a fork; the attacker has one thread, so the child may go on as it is.
    let child = done(unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size) })?;
    if child == 0 {
        leave();
    }
    wait_for(libc::pid_t::try_from(child).map_err(io::Error::other)?).map(drop)
}

/// Removes the cgroup that [`leave_cgroup`] makes.
pub fn remove_cgroup() {
    if let Ok(root) = cgroup_root() {
        // Not there where nobody made it.
        drop(std::fs::remove_dir(root.join(OWN_CGROUP)));
    }
}

/// Reads which cgroup it is in.
///
/// # Errors
/// Those of the calls.
pub fn read_cgroup(_target: &OutsiderTarget) -> io::Result<()> {
    std::fs::read_to_string("/proc/self/cgroup").map(drop)
}
