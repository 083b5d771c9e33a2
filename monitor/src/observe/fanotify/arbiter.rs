//! What the tier asks of its owner, and what it tells it.

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

/// One open (or, where reads are asked too, one read) that waits in the kernel for an answer.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The opener's process (thread group) id, in the daemon's pid namespace. It cannot be reused
    /// while the answer is awaited, unless the opener is killed.
    pub pid: i32,
    /// The file is opened to be executed. An exec asks twice: with `exec`, then as an open.
    pub exec: bool,
    /// An already open descriptor is read ([`super::Settings::reads`]); else it is an open.
    pub read: bool,
    /// The filesystem's own device (`s_dev`: major, minor), which on btrfs and overlayfs is not what
    /// `stat` says.
    pub dev: (u32, u32),
    /// The inode number.
    pub inode: u64,
    /// The name by which it was opened, for people; it never decides.
    pub path: Option<&'a Path>,
    /// The object itself, open for reading. Using it asks nobody.
    pub fd: BorrowedFd<'a>,
}

/// What becomes of an [`Opening`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It goes on.
    Allow,
    /// The caller gets `EPERM`; nothing was opened.
    Deny,
}

/// Decides openings. Called from the one thread for which every opener of a guarded file waits: it
/// must be quick, must not block, and must not open a guarded file itself.
pub trait Arbiter: Send + Sync + 'static {
    /// Whether this process belongs to a session now. Processes outside are let through at once,
    /// before anything else is looked at.
    fn is_member(&self, pid: i32) -> bool;

    /// The verdict on a member's opening. It may kill the opener first. A panic in here denies.
    fn decide(&self, opening: &Opening<'_>) -> Answer;
}

/// What was done to a guarded thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// A guarded name came into being.
    Create,
    /// A guarded thing was moved away from its name.
    Rename,
    /// Something was moved onto a guarded name.
    Replace,
    /// A guarded inode got one more name.
    Link,
    /// A guarded name, or another name of a guarded inode, was removed.
    Unlink,
    /// Content was written, or the file was truncated; the kernel does not tell these apart.
    Modify,
    /// Mode, owner, times or extended attributes changed.
    Attributes,
}

/// An act on a guarded thing, by object. It has happened already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The process that did it; it may be gone by now.
    pub pid: i32,
    /// What it did.
    pub kind: ChangeKind,
    /// The guarded name: the old one for a rename, the new one for a replacement; for acts on an
    /// inode under another name, the name by which it is guarded.
    pub path: PathBuf,
    /// The new name of a rename or link, where it could be found: not for a file of several names
    /// that was moved.
    pub to: Option<PathBuf>,
    /// The filesystem's device (`s_dev`: major, minor).
    pub dev: (u32, u32),
    /// The inode acted on; 0 where it was gone before it could be looked at.
    pub inode: u64,
}

/// Hears what happens to guarded things. Called from the thread that keeps the marks.
pub trait Observer: Send + Sync + 'static {
    /// Whether this process belongs to a session, or did until a moment ago: the change is told
    /// after the act, when a short-lived process may have ended.
    fn was_member(&self, pid: i32) -> bool;

    /// A member changed a guarded thing. The kernel merges equal changes of one process to one
    /// object that nobody has read yet, and gives those of one merged event no order.
    fn changed(&self, change: &Change);

    /// A guarded name now leads to this object, which is already marked: it was created, replaced or
    /// found again. Not called for what [`super::Fanotify::set`] itself found.
    fn refreshed(&self, path: &Path, dev: (u32, u32), inode: u64);
}
