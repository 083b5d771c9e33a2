//! Filesystems on which inodes and devices are not what they seem.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use nix::libc::{EPERM, major, minor};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use scopeward::observe::fanotify::Guarded;

use crate::session::{Session, can_run, outsider, settings};

const NONE: Option<&str> = None;

/// A mount namespace for this thread and the processes it starts.
fn own_mounts() {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).unwrap();
}

/// A member is denied the key, and what is asked names the superblock's device.
fn held(session: &Session, key: &Path) {
    assert_eq!(outsider("open", &[key]), 0);
    assert_eq!(session.member("open", &[key]), EPERM);
    let asked = session.seen.asked.lock().unwrap();
    let data = fs::metadata(key).unwrap();
    let (dev, inode) = (asked[0].dev, asked[0].inode);
    assert_eq!(inode, data.ino());
    println!(
        "stat says {}:{}, the superblock is {dev:?}",
        major(data.dev()),
        minor(data.dev())
    );
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let (dir, wanted) = (session.path("fs"), format!("{}:{}", dev.0, dev.1));
    let line = table
        .lines()
        .find(|line| line.split(' ').nth(4) == dir.to_str())
        .unwrap();
    assert_eq!(line.split(' ').nth(2), Some(wanted.as_str()), "{line}");
}

#[test]
fn a_file_of_an_overlay_is_held_before_and_after_it_is_copied_up() {
    if !can_run() {
        return;
    }
    own_mounts();
    let session = Session::with(settings(), |dir| {
        for name in ["lower", "upper", "work", "fs"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        fs::write(dir.join("lower/key"), "secret").unwrap();
        let [lower, upper, work] =
            ["lower", "upper", "work"].map(|name| dir.join(name).display().to_string());
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        mount(
            Some("overlay"),
            &dir.join("fs"),
            Some("overlay"),
            MsFlags::empty(),
            Some(options.as_str()),
        )
        .unwrap();
        Guarded {
            exact: vec![dir.join("fs/key")],
            ..Guarded::default()
        }
    });
    let key = session.path("fs/key");
    held(&session, &key);
    assert_eq!(outsider("write", &[&key]), 0);
    assert!(session.path("upper/key").exists());
    assert_eq!(session.member("open", &[&key]), EPERM);
}

#[test]
fn a_file_of_a_tmpfs_is_held() {
    if !can_run() {
        return;
    }
    own_mounts();
    let session = Session::with(settings(), |dir| {
        fs::create_dir(dir.join("fs")).unwrap();
        mount(
            Some("tmpfs"),
            &dir.join("fs"),
            Some("tmpfs"),
            MsFlags::empty(),
            NONE,
        )
        .unwrap();
        fs::write(dir.join("fs/key"), "secret").unwrap();
        Guarded {
            trees: vec![dir.join("fs")],
            ..Guarded::default()
        }
    });
    held(&session, &session.path("fs/key"));
}

#[test]
fn a_file_of_a_btrfs_subvolume_is_held() {
    if !can_run() {
        return;
    }
    if Command::new("mkfs.btrfs").arg("--version").output().is_err() {
        eprintln!("skipped: mkfs.btrfs is not installed");
        return;
    }
    own_mounts();
    let run = |program: &str, args: &[&str]| {
        let out = Command::new(program).args(args).output().unwrap();
        assert!(out.status.success(), "{program}: {out:?}");
    };
    let session = Session::with(settings(), |dir| {
        let (image, point) = (dir.join("image"), dir.join("fs"));
        fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
        fs::create_dir(&point).unwrap();
        run("mkfs.btrfs", &["-q", image.to_str().unwrap()]);
        run(
            "mount",
            &["-o", "loop", image.to_str().unwrap(), point.to_str().unwrap()],
        );
        run(
            "btrfs",
            &["subvolume", "create", point.join("home").to_str().unwrap()],
        );
        fs::write(point.join("home/key"), "secret").unwrap();
        Guarded {
            exact: vec![point.join("home/key")],
            ..Guarded::default()
        }
    });
    held(&session, &session.path("fs/home/key"));
    fs::write(session.path("fs/home/new"), "newer").unwrap();
    fs::rename(session.path("fs/home/new"), session.path("fs/home/key")).unwrap();
    crate::refresh::held(&session, &session.path("fs/home/key"));
    session.tier.disarm().unwrap();
    nix::mount::umount(&session.path("fs")).unwrap();
}
