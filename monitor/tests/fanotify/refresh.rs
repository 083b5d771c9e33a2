//! Guarded names stay guarded as files come, go and are replaced.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::Duration;

use nix::libc::EPERM;
use scopeward::observe::fanotify::{Guarded, NameGlob};

use crate::session::{Session, can_run, outsider, settings, within};

/// Waits until the tier has told that `path` leads to its present inode.
fn refreshed(session: &Session, path: &Path) {
    let inode = fs::metadata(path).unwrap().ino();
    let told = || {
        session
            .seen
            .refreshed
            .lock()
            .unwrap()
            .contains(&(path.to_owned(), inode))
            .then_some(())
    };
    within(Duration::from_secs(2), told).unwrap_or_else(|| panic!("{} was not refreshed", path.display()));
}

pub fn held(session: &Session, path: &Path) {
    refreshed(session, path);
    assert_eq!(session.member("open", &[path]), EPERM);
    assert_eq!(outsider("open", &[path]), 0);
}

#[test]
fn a_replaced_file_is_guarded_and_the_old_one_too() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    fs::write(session.path("new"), "newer").unwrap();
    fs::hard_link(session.path("key"), session.path("old")).unwrap();
    fs::rename(session.path("new"), session.path("key")).unwrap();
    held(&session, &session.path("key"));
    assert_eq!(session.member("open", &[&session.path("old")]), EPERM);
}

#[test]
fn what_does_not_exist_is_guarded_from_its_creation() {
    if !can_run() {
        return;
    }
    let guarded = |dir: &Path| Guarded {
        exact: vec![dir.join("a/b/key")],
        ..Guarded::default()
    };
    let session = Session::with(settings(), guarded);
    fs::create_dir_all(session.path("a/b")).unwrap();
    fs::write(session.path("a/b/key"), "secret").unwrap();
    held(&session, &session.path("a/b/key"));
    // And again when a directory on the way is exchanged.
    fs::rename(session.path("a"), session.path("was")).unwrap();
    fs::create_dir_all(session.path("a/b")).unwrap();
    fs::write(session.path("a/b/key"), "another").unwrap();
    held(&session, &session.path("a/b/key"));
    assert_eq!(session.member("open", &[&session.path("was/b/key")]), EPERM);
}

#[test]
fn a_link_on_the_way_is_followed_when_it_changes() {
    if !can_run() {
        return;
    }
    let session = Session::with(settings(), |dir| {
        for side in ["left", "right"] {
            fs::create_dir(dir.join(side)).unwrap();
            fs::write(dir.join(side).join("key"), side).unwrap();
        }
        symlink("left", dir.join("now")).unwrap();
        Guarded {
            exact: vec![dir.join("now/key")],
            ..Guarded::default()
        }
    });
    assert_eq!(session.member("open", &[&session.path("left/key")]), EPERM);
    assert_eq!(session.member("open", &[&session.path("right/key")]), 0);
    symlink("right", session.path("next")).unwrap();
    fs::rename(session.path("next"), session.path("now")).unwrap();
    held(&session, &session.path("right/key"));
}

#[test]
fn a_tree_grows() {
    if !can_run() {
        return;
    }
    let session = Session::with(settings(), |dir| {
        fs::create_dir(dir.join("tree")).unwrap();
        Guarded {
            trees: vec![dir.join("tree")],
            ..Guarded::default()
        }
    });
    fs::create_dir_all(session.path("tree/x/y/z")).unwrap();
    fs::write(session.path("tree/x/y/z/deep"), "secret").unwrap();
    held(&session, &session.path("tree/x/y/z/deep"));
    fs::hard_link(session.path("tree/x/y/z/deep"), session.path("out")).unwrap();
    assert_eq!(session.member("open", &[&session.path("out")]), EPERM);
}

#[test]
fn names_of_a_pattern_are_guarded_and_others_are_not() {
    if !can_run() {
        return;
    }
    let session = Session::with(settings(), |dir| {
        fs::write(dir.join("id_one"), "secret").unwrap();
        let glob = NameGlob {
            prefix: b"id_".to_vec(),
            suffix: Vec::new(),
        };
        Guarded {
            names_in_dirs: vec![(dir.to_owned(), glob)],
            ..Guarded::default()
        }
    });
    assert_eq!(session.member("open", &[&session.path("id_one")]), EPERM);
    assert_eq!(session.member("open", &[&session.path("key")]), 0);
    fs::write(session.path("id_two"), "secret").unwrap();
    held(&session, &session.path("id_two"));
}

#[test]
fn a_new_set_keeps_what_stays_and_lets_go_of_what_does_not() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let (key, other, moved) = (session.path("key"), session.path("other"), session.path("moved"));
    fs::write(&other, "secret").unwrap();
    fs::rename(&key, &moved).unwrap();
    session
        .tier
        .set(&Guarded {
            exact: vec![key.clone(), other.clone()],
            ..Guarded::default()
        })
        .unwrap();
    assert_eq!(
        session.member("open", &[&moved]),
        EPERM,
        "renamed, its guard still in force"
    );
    assert_eq!(session.member("open", &[&other]), EPERM);
    session
        .tier
        .set(&Guarded {
            exact: vec![other.clone()],
            ..Guarded::default()
        })
        .unwrap();
    assert_eq!(session.member("open", &[&moved]), 0);
    assert_eq!(session.member("open", &[&other]), EPERM);
}

#[test]
fn the_limit_is_kept_and_said() {
    if !can_run() {
        return;
    }
    let limited = scopeward::observe::fanotify::Settings {
        limit: 5,
        ..settings()
    };
    let session = Session::with(limited, |dir| {
        fs::create_dir(dir.join("tree")).unwrap();
        for name in 0..20 {
            fs::write(dir.join("tree").join(name.to_string()), "x").unwrap();
        }
        Guarded::default()
    });
    let guarded = Guarded {
        trees: vec![session.path("tree")],
        ..Guarded::default()
    };
    let coverage = session.tier.set(&guarded).unwrap();
    assert_eq!(coverage.inodes + coverage.dirs, 5);
    assert_eq!(coverage.over_limit, 16);
}
