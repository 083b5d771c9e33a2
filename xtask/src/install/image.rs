//! The system: a Debian with systemd and Debian's kernel, by debootstrap, as a disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::vm::mirror;
use crate::{apt, process};

/// What a host has before the package comes.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,init-system-helpers,linux-image-cloud-amd64,initramfs-tools,kmod,udev,procps,\
                        util-linux,passwd";
/// Enough for the system, the packages and a store.
const DISK: &str = "3G";

/// What a machine boots from.
pub struct System {
    pub disk: PathBuf,
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    /// What its processors are.
    pub processor: &'static str,
}

/// The releases of Debian that are tried.
pub const SUITES: [&str; 2] = ["bookworm", "trixie"];

/// Makes the system of `suite` in `folder`: debootstrap's part is kept for the next time, the disk is always new.
///
/// # Errors
/// A sentence, when this is no Debian, or not root, or a package cannot be had.
pub fn make(root: &Path, folder: &Path, suite: &str, old: &Path, new: &Path) -> Result<System, String> {
    if !process::is_root()? {
        return Err("debootstrap needs root".to_owned());
    }
    let tree = folder.join("system");
    let stamp = folder.join("system-is-complete");
    if !stamp.is_file() {
        bootstrap(folder, suite, &tree)?;
        write(&stamp, b"")?;
    }
    place(root, &tree, old, new)?;
    let disk = folder.join("disk");
    drop(fs::remove_file(&disk));
    eprintln!("install-test: writing the disk");
    process::read(
        Command::new("mke2fs")
            .args(["-q", "-t", "ext4", "-d"])
            .arg(&tree)
            .arg(&disk)
            .arg(DISK),
    )?;
    Ok(System {
        disk,
        // Newer kernels allocate memory by cmpxchg16b, which QEMU 7.2 emulates wrongly: they die of that at random.
        processor: if suite == "bookworm" { "max" } else { "max,-cx16" },
        kernel: newest(&tree.join("boot"), "vmlinuz-")?,
        initrd: newest(&tree.join("boot"), "initrd.img-")?,
    })
}

fn bootstrap(folder: &Path, suite: &str, tree: &Path) -> Result<(), String> {
    let mirror = mirror::address()?;
    let tools = folder.join("tools");
    let archive = apt::Archive::of_host();
    if !tools.join("usr/sbin/debootstrap").is_file() {
        let closure = archive.closure(&["debootstrap"])?;
        let only = closure
            .into_iter()
            .filter(|(name, _)| name == "debootstrap")
            .collect();
        archive.unpack(&only, &folder.join("packages"), &tools)?;
    }
    if tree.exists() {
        fs::remove_dir_all(tree).map_err(|error| format!("cannot remove {}: {error}", tree.display()))?;
    }
    eprintln!(
        "install-test: {suite} in {} (a few minutes, once)",
        tree.display()
    );
    process::read(
        Command::new(tools.join("usr/sbin/debootstrap"))
            .args(["--variant=minbase", &format!("--include={PACKAGES}"), suite])
            .arg(tree)
            .arg(mirror)
            .env("DEBOOTSTRAP_DIR", tools.join("usr/share/debootstrap")),
    )
    .map(drop)
}

/// Puts in what the test needs.
fn place(root: &Path, tree: &Path, old: &Path, new: &Path) -> Result<(), String> {
    let test = tree.join("root/test");
    let from = root.join("tests/install");
    for (from, to) in [
        (from.join("guest.sh"), test.join("guest.sh")),
        (from.join("agent.sh"), test.join("agent.sh")),
        (from.join("held.toml"), test.join("held.toml")),
        (
            from.join("guest.service"),
            tree.join("etc/systemd/system/install-test.service"),
        ),
        (old.to_path_buf(), test.join("old.deb")),
        (new.to_path_buf(), test.join("new.deb")),
    ] {
        let bytes = fs::read(&from).map_err(|error| format!("cannot read {}: {error}", from.display()))?;
        write(&to, &bytes)?;
    }
    process::read(Command::new("chmod").args(["-R", "a+rX"]).arg(tree.join("root")))?;
    process::read(Command::new("chmod").arg("755").arg(test.join("guest.sh")))?;
    let wants = tree.join("etc/systemd/system/multi-user.target.wants");
    let link = wants.join("install-test.service");
    drop(fs::remove_file(&link));
    fs::create_dir_all(&wants)
        .and_then(|()| std::os::unix::fs::symlink("/etc/systemd/system/install-test.service", &link))
        .map_err(|error| format!("cannot make {}: {error}", link.display()))?;
    write(&tree.join("etc/fstab"), b"/dev/vda / ext4 rw 0 1\n")?;
    write(&tree.join("etc/hostname"), b"install-test\n")?;
    write(&tree.join("etc/hosts"), b"127.0.0.1 localhost install-test\n")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let made = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, bytes));
    made.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn newest(folder: &Path, prefix: &str) -> Result<PathBuf, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
        })
        .max()
        .ok_or_else(|| format!("{} has no {prefix}*", folder.display()))
}
