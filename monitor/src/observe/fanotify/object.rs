//! Objects of the file system as fanotify names them: inode, and file handle.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::libc;

/// An inode on this host while it exists: `st_dev` and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) dev: u64,
    pub(super) inode: u64,
}

/// Filesystem id, handle type and handle, as in the records of an event: unlike an inode number it
/// is not used again for another file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Handle(pub(super) Box<[u8]>);

/// A filesystem's id, as `statfs` and events give it.
pub(super) type Fsid = [u8; 8];

impl Handle {
    /// The filesystem's id.
    pub(super) fn fsid(&self) -> Fsid {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

/// What `statx` says of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) id: Id,
    /// `st_dev` as major and minor.
    pub(super) dev: (u32, u32),
    /// The mount through which it was reached.
    pub(super) mount: u64,
    pub(super) links: u32,
    kind: u32,
}

impl Look {
    pub(super) fn is_dir(&self) -> bool {
        self.kind == libc::S_IFDIR
    }

    pub(super) fn is_file(&self) -> bool {
        self.kind == libc::S_IFREG
    }

    pub(super) fn is_link(&self) -> bool {
        self.kind == libc::S_IFLNK
    }
}

/// Longest handle a kernel gives (`MAX_HANDLE_SZ`), in bytes.
const HANDLE_MAX: u32 = 128;
const HANDLE_WORDS: usize = 2 + HANDLE_MAX as usize / 4;
/// `AT_HANDLE_FID` (6.5): also where a handle cannot be opened again, as on overlayfs.
const AT_HANDLE_FID: i32 = 0x200;
/// Filesystem types whose files root may be kept from opening, or whose server may hang.
const REMOTE: [libc::c_ulong; 8] = [
    0x6969,      // nfs
    0xff53_4d42, // cifs
    0xfe53_4d42, // smb2
    0x6573_5546, // fuse
    0x0102_1997, // 9p
    0x5346_414f, // afs
    0x00c3_6400, // ceph
    0x7461_636f, // ocfs2
];

/// Opens `path` as a place only, without following a last symbolic link: nobody is asked, nothing is
/// read, and no event arises.
pub(super) fn place(path: &Path) -> io::Result<OwnedFd> {
    let flags = libc::O_PATH | libc::O_NOFOLLOW;
    Ok(File::options().read(true).custom_flags(flags).open(path)?.into())
}

/// Looks at an open object.
pub(super) fn look(fd: BorrowedFd<'_>) -> io::Result<Look> {
    let mut stat = MaybeUninit::<libc::statx>::zeroed();
    let mask = libc::STATX_BASIC_STATS | libc::STATX_MNT_ID;
    // SAFETY: the empty path makes statx look at the descriptor itself; the buffer is of its type.
    let code = unsafe {
        libc::statx(
            fd.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            mask,
            stat.as_mut_ptr(),
        )
    };
    if code < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: statx succeeded, and zeroes are valid where it wrote nothing.
    let stat = unsafe { stat.assume_init() };
    Ok(Look {
        id: Id {
            dev: libc::makedev(stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
        },
        dev: (stat.stx_dev_major, stat.stx_dev_minor),
        mount: stat.stx_mnt_id,
        links: stat.stx_nlink,
        kind: u32::from(stat.stx_mode) & libc::S_IFMT,
    })
}

/// The handle of an open object; `None` where the filesystem has none.
pub(super) fn handle(fd: BorrowedFd<'_>) -> Option<Handle> {
    let mut bytes = fsid(fd)?.to_vec();
    // struct file_handle: length, type, then the handle itself.
    let mut raw = [0_u32; HANDLE_WORDS];
    let encode = |raw: &mut [u32; HANDLE_WORDS], flags: i32| {
        raw[0] = HANDLE_MAX;
        let mut mount = 0;
        // SAFETY: the buffer is aligned for and as long as its first word says; `mount` outlives the call.
        let code = unsafe {
            libc::name_to_handle_at(
                fd.as_raw_fd(),
                c"".as_ptr(),
                raw.as_mut_ptr().cast(),
                &raw mut mount,
                flags,
            )
        };
        code == 0
    };
    let found =
        encode(&mut raw, libc::AT_EMPTY_PATH | AT_HANDLE_FID) || encode(&mut raw, libc::AT_EMPTY_PATH);
    found.then_some(())?;
    let length = usize::try_from(raw[0]).ok()?;
    let rest = raw
        .iter()
        .skip(1)
        .flat_map(|word| word.to_ne_bytes())
        .take(4 + length);
    bytes.extend(rest);
    Some(Handle(bytes.into()))
}

/// `i_generation` of an open object, where its filesystem puts it into its handles (`FILEID_INO32_GEN` of
/// include/linux/exportfs.h: ext4 and others; `XFS_FILEID_INO64GEN`). tmpfs says `FILEID_INO32_GEN` too, of three words, and
/// has the generation first (`shmem_encode_fh`).
pub fn generation(fd: BorrowedFd<'_>) -> Option<u32> {
    let bytes = handle(fd)?.0;
    let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    /// The filesystem, the kind of handle, and three words.
    const OF_TMPFS: usize = 8 + 4 + 12;
    match word(8)? {
        1 if bytes.len() == OF_TMPFS => word(12),
        1 | 2 => word(16),
        0x81 | 0x82 => word(20),
        _ => None,
    }
}

/// Opens a handle as a place. `mount` is any directory of its filesystem, open for reading.
pub(super) fn open(mount: BorrowedFd<'_>, handle: &Handle) -> io::Result<OwnedFd> {
    let stored = &handle.0[8..];
    let length = stored.len() - 4;
    let mut raw = [0_u32; HANDLE_WORDS];
    raw[0] = u32::try_from(length).map_err(io::Error::other)?;
    for (word, bytes) in raw[1..].iter_mut().zip(stored.chunks(4)) {
        let mut padded = [0; 4];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = u32::from_ne_bytes(padded);
    }
    // SAFETY: the buffer holds a whole struct file_handle and is aligned for it.
    let fd = unsafe {
        libc::open_by_handle_at(
            mount.as_raw_fd(),
            raw.as_mut_ptr().cast(),
            libc::O_PATH | libc::O_CLOEXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The filesystem's id, as in events.
fn fsid(fd: BorrowedFd<'_>) -> Option<Fsid> {
    let id = nix::sys::statfs::fstatfs(fd).ok()?.filesystem_id();
    // SAFETY: both are eight plain bytes; libc keeps the two integers private.
    Some(unsafe { std::mem::transmute::<libc::fsid_t, [u8; 8]>(id) })
}

/// Whether the object's filesystem is served by somebody else than this kernel.
pub(super) fn is_remote(fd: BorrowedFd<'_>) -> bool {
    let Ok(stat) = nix::sys::statfs::fstatfs(fd) else {
        return true;
    };
    // Signed with one C library and not with another.
    let kind = stat.filesystem_type().0;
    REMOTE
        .iter()
        .any(|remote| kind.to_ne_bytes() == remote.to_ne_bytes())
}

/// Whether the daemon may open this regular file for reading. If not, the kernel cannot make the
/// event's descriptor, and denies everybody.
pub(super) fn can_open(fd: BorrowedFd<'_>) -> bool {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let opened = File::options().read(true).custom_flags(flags).open(link(fd));
    // A lease is held on it by another process: that passes, and is no reason to leave it open.
    opened.map_or_else(|error| error.kind() == io::ErrorKind::WouldBlock, |_| true)
}

/// The target of an open symbolic link.
pub(super) fn target(fd: BorrowedFd<'_>) -> io::Result<PathBuf> {
    let empty = CString::default();
    Ok(PathBuf::from(nix::fcntl::readlinkat(fd, empty.as_c_str())?))
}

/// The name under which the kernel knows an open object now; `None` once it is deleted.
pub(super) fn name(fd: BorrowedFd<'_>) -> Option<PathBuf> {
    let path = std::fs::read_link(link(fd)).ok()?;
    (!path.as_os_str().as_bytes().ends_with(b" (deleted)")).then_some(path)
}

/// The same, into a buffer: for a thread that must not allocate.
pub(super) fn name_into<'a>(fd: BorrowedFd<'_>, buffer: &'a mut [u8]) -> Option<&'a Path> {
    let mut path = [0; 32];
    let mut cursor = io::Cursor::new(&mut path[..31]);
    io::Write::write_fmt(&mut cursor, format_args!("/proc/self/fd/{}", fd.as_raw_fd())).ok()?;
    // SAFETY: `path` ends in NUL (its last byte is never written), `buffer` is as long as is said.
    let length = unsafe { libc::readlink(path.as_ptr().cast(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let length = usize::try_from(length)
        .ok()
        .filter(|&length| length < buffer.len())?;
    Some(Path::new(std::ffi::OsStr::from_bytes(&buffer[..length])))
}

fn link(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// A directory open for reading, to stand for its filesystem.
pub(super) fn directory(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = libc::O_DIRECTORY | libc::O_NONBLOCK;
    Ok(File::options()
        .read(true)
        .custom_flags(flags)
        .open(link(fd))?
        .into())
}

/// The names in a directory, without `.` and `..`.
pub(super) fn entries(dir: BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
    std::fs::read_dir(link(dir))?
        .map(|entry| Ok(entry?.file_name()))
        .collect()
}
