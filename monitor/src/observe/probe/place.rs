//! A place of our own for what is tried: a directory, and where rights allow it mounts that nobody else sees.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The place; gone when it is dropped.
pub(super) struct Place {
    /// The directory.
    pub(super) dir: PathBuf,
    /// Mounts of this thread are its own: it may mount, and nobody sees it.
    pub(super) private: bool,
}

impl Place {
    /// Makes the directory, and takes this thread out of the host's mount namespace where that may be. The thread must
    /// end afterwards.
    ///
    /// # Errors
    /// Where no directory can be made.
    pub(super) fn make() -> io::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("scopeward-probe-{}-{number}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&dir)?;
        let dir = dir.canonicalize()?;
        let private = separate(&dir).is_ok();
        Ok(Self { dir, private })
    }

    /// Where a filesystem is found or, where mounts stay private, mounted by `get`.
    pub(super) fn filesystem(
        &self,
        kind: &str,
        get: fn(&Path) -> Result<PathBuf, super::super::mounts::MountError>,
    ) -> Result<Option<PathBuf>, super::super::mounts::MountError> {
        if self.private {
            get(&self.dir).map(Some)
        } else {
            super::super::mounts::find(kind)
        }
    }
}

/// A mount namespace for this thread, with a small tmpfs on `dir`.
fn separate(dir: &Path) -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(
        Some("scopeward-probe"),
        dir,
        Some("tmpfs"),
        flags,
        Some("size=1m,mode=0700"),
    )
}

impl Drop for Place {
    fn drop(&mut self) {
        // The mounts would go with the thread; the directory below them is the host's and empty, and cannot be removed
        // as long as something is mounted on it here.
        let bare = !self.private || umount2(&self.dir, MntFlags::MNT_DETACH).is_ok();
        if bare {
            // Left where it is not empty, which a look at /tmp shows.
            drop(fs::remove_dir(&self.dir));
        }
    }
}
