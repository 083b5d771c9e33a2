//! Names and attributes of files, before they are changed. The `path_…` hooks, because they know the mount and are asked
//! about what a process does, not about what a filesystem does on its behalf (overlayfs).

use scopeward_abi::event::{flag, hook, kind};

use super::actor::{Arguments, held};
use crate::{
    hooks::change::{self, CREATED, Ends, NOWHERE, Place, how},
    kernel::{
        offsets::{Address, of, read},
        task,
    },
};

/// The argument with this number.
#[inline(always)]
fn argument(arguments: Arguments, number: usize) -> Address {
    // SAFETY: every hook here asks for arguments that its function has.
    unsafe { *arguments.add(number) }
}

/// A name in a directory that is given as a `struct path`.
#[inline(always)]
fn named(dir: Address, dentry: Address) -> Ends {
    Ends {
        from: Place {
            dentry,
            mount: read(dir, of::PATH_MNT()).unwrap_or(0),
        },
        to: NOWHERE,
    }
}

/// What a `struct path` is.
#[inline(always)]
fn at(path: Address) -> Ends {
    named(path, read(path, of::PATH_DENTRY()).unwrap_or(0))
}

/// Asks about a name in the directory of the first argument, which is the second.
#[inline(always)]
fn in_directory(arguments: Arguments, what: u32) -> i32 {
    held(hook::CHANGE, |actor| {
        if what & 0xff == CREATED {
            actor.flags |= flag::CREATED | flag::WRITE;
        }
        change::asked(
            actor,
            &named(argument(arguments, 0), argument(arguments, 1)),
            what,
        )
    })
}

/// Asks about the `struct path` of the first argument.
#[inline(always)]
fn of_path(arguments: Arguments, what: u8) -> i32 {
    held(hook::CHANGE, |actor| {
        change::asked(actor, &at(argument(arguments, 0)), u32::from(what))
    })
}

/// `int security_path_unlink(const struct path *dir, struct dentry *dentry)`. Checked on 6.1, 6.12, 6.18, 7.3, as all here.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_unlink")]
extern "C" fn deny_unlink(arguments: Arguments) -> i32 {
    in_directory(arguments, kind::UNLINK.into())
}

/// `int security_path_rmdir(const struct path *dir, struct dentry *dentry)`.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_rmdir")]
extern "C" fn deny_rmdir(arguments: Arguments) -> i32 {
    in_directory(arguments, kind::UNLINK.into())
}

/// `int security_path_mkdir(const struct path *dir, struct dentry *dentry, umode_t mode)`.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_mkdir")]
extern "C" fn deny_mkdir(arguments: Arguments) -> i32 {
    in_directory(arguments, CREATED)
}

/// `int security_path_symlink(const struct path *dir, struct dentry *dentry, const char *old_name)`.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_symlink")]
extern "C" fn deny_symlink(arguments: Arguments) -> i32 {
    in_directory(arguments, CREATED)
}

/// `int security_path_mknod(const struct path *dir, struct dentry *dentry, umode_t mode, unsigned int dev)`, for opens
/// that create too: those are asked about again when the file is opened, and the default is left to that.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_mknod")]
extern "C" fn deny_mknod(arguments: Arguments) -> i32 {
    /// `S_IFMT`, `S_IFREG`.
    const KIND: u64 = 0o170_000;
    const REGULAR: u64 = 0o100_000;
    let of_kind = argument(arguments, 2) & KIND;
    let is_file = of_kind == REGULAR || of_kind == 0;
    in_directory(arguments, if is_file { CREATED | how::RULES } else { CREATED })
}

/// `int security_path_link(struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry)`; both are
/// on one mount.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_link")]
extern "C" fn deny_link(arguments: Arguments) -> i32 {
    held(hook::CHANGE, |actor| {
        let mut ends = named(argument(arguments, 1), argument(arguments, 0));
        ends.to = Place {
            dentry: argument(arguments, 2),
            ..ends.from
        };
        change::asked_both(actor, &ends, u32::from(kind::LINK) | how::READS)
    })
}

/// `int security_path_rename(const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir, struct
/// dentry *new_dentry, unsigned int flags)`.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_rename")]
extern "C" fn deny_rename(arguments: Arguments) -> i32 {
    /// `RENAME_EXCHANGE`.
    const EXCHANGE: u64 = 2;
    held(hook::CHANGE, |actor| {
        let mut ends = named(argument(arguments, 0), argument(arguments, 1));
        ends.to = named(argument(arguments, 2), argument(arguments, 3)).from;
        let mut what = u32::from(kind::RENAME) | how::READS;
        if argument(arguments, 4) & EXCHANGE != 0 {
            what |= how::READS << how::TO;
        }
        change::asked_both(actor, &ends, what)
    })
}

/// `int security_path_truncate(const struct path *path)`: `truncate`, and before 6.2 `ftruncate` and opens that truncate.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_truncate")]
extern "C" fn deny_truncate(arguments: Arguments) -> i32 {
    of_path(arguments, kind::TRUNCATE)
}

/// `int security_path_chmod(const struct path *path, umode_t mode)`.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_chmod")]
extern "C" fn deny_chmod(arguments: Arguments) -> i32 {
    of_path(arguments, kind::ATTRIBUTES)
}

/// `int security_path_chown(const struct path *path, kuid_t uid, kgid_t gid)`.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_path_chown")]
extern "C" fn deny_chown(arguments: Arguments) -> i32 {
    of_path(arguments, kind::ATTRIBUTES)
}

/// `int security_inode_setxattr(struct mnt_idmap *idmap, struct dentry *dentry, const char *name, …)`; the first argument
/// was a `struct user_namespace *` before 6.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_inode_setxattr")]
extern "C" fn deny_setxattr(arguments: Arguments) -> i32 {
    extended(arguments)
}

/// `int security_inode_removexattr(struct mnt_idmap *idmap, struct dentry *dentry, const char *name)`.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_inode_removexattr")]
extern "C" fn deny_removexattr(arguments: Arguments) -> i32 {
    extended(arguments)
}

/// `int security_inode_set_acl(struct mnt_idmap *idmap, struct dentry *dentry, const char *acl_name, struct posix_acl
/// *kacl)`, since 6.2; before that, lists come by `setxattr`.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_inode_set_acl")]
extern "C" fn deny_set_acl(arguments: Arguments) -> i32 {
    extended(arguments)
}

/// Asks about the dentry of the second argument. Filesystems come by here on their own behalf too: only rules answer.
#[inline(always)]
fn extended(arguments: Arguments) -> i32 {
    held(hook::CHANGE, |actor| {
        let dentry = argument(arguments, 1);
        let ends = Ends {
            from: Place {
                dentry,
                mount: mount_of(dentry).unwrap_or(0),
            },
            to: NOWHERE,
        };
        change::asked(actor, &ends, u32::from(kind::ATTRIBUTES) | how::RULES)
    })
}

/// A mount of the dentry's filesystem: that of the working directory, or of the root.
#[inline(always)]
fn mount_of(dentry: Address) -> Result<Address, i32> {
    let inode: Address = read(dentry, of::DENTRY_INODE())?;
    let sb: Address = read(inode, of::INODE_SB())?;
    let fs: Address = read(task::current(), of::TASK_FS())?;
    for at in [of::FS_PWD(), of::FS_ROOT()] {
        let mount: Address = read(fs, at + of::PATH_MNT())?;
        if read::<Address>(mount, of::VFSMOUNT_SB())? == sb {
            return Ok(mount);
        }
    }
    Ok(0)
}
