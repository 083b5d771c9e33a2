//! Acts on guarded things, told by object with the pid of who did them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use scopeward::observe::fanotify::{Change, ChangeKind};

use crate::session::{Session, can_run, outsider};

fn acted(session: &Session, act: &str, names: &[&str], kind: ChangeKind) -> Change {
    let paths: Vec<_> = names.iter().map(|name| session.path(name)).collect();
    let paths: Vec<_> = paths.iter().map(AsRef::as_ref).collect();
    let (pid, code) = session.member_pid(act, &paths);
    assert_eq!(code, 0, "{act}");
    session
        .change(pid, kind)
        .unwrap_or_else(|| panic!("{act} was not told: {:?}", session.seen.changes))
}

#[test]
fn acts_of_members_are_told_by_object() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let key = session.path("key");
    let inode = fs::metadata(&key).unwrap().ino();
    fs::create_dir(session.path("far")).unwrap();
    for (act, names, kind) in [
        ("chmod", &["key"][..], ChangeKind::Attributes),
        ("truncate", &["key"], ChangeKind::Modify),
        ("link", &["key", "far/link"], ChangeKind::Link),
        ("chmod", &["far/link"], ChangeKind::Attributes),
        ("unlink", &["far/link"], ChangeKind::Unlink),
        ("rename", &["key", "far/moved"], ChangeKind::Rename),
        ("rename", &["far/moved", "far/again"], ChangeKind::Rename),
        ("rename", &["far/again", "key"], ChangeKind::Replace),
        ("link", &["key", "near"], ChangeKind::Link),
        ("unlink", &["key"], ChangeKind::Unlink),
        ("unlink", &["near"], ChangeKind::Unlink),
    ] {
        let change = acted(&session, act, names, kind);
        assert_eq!(change.inode, inode, "{act} {names:?}: {change:?}");
        if kind == ChangeKind::Rename {
            assert_eq!(change.to, Some(session.path(names[1])));
        }
    }
    let changes = session.seen.changes.lock().unwrap();
    let count = |kind| changes.iter().filter(|change| change.kind == kind).count();
    assert_eq!(count(ChangeKind::Link), 2, "{changes:#?}");
    assert_eq!(count(ChangeKind::Unlink), 3, "{changes:#?}");
}

#[test]
fn creation_under_a_guarded_name_is_told() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    fs::remove_file(session.path("key")).unwrap();
    let change = acted(&session, "create", &["key"], ChangeKind::Create);
    assert_eq!(change.path, session.path("key"));
}

#[test]
fn acts_of_outsiders_and_on_other_files_are_not_told() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let (key, other) = (session.path("key"), session.path("other"));
    assert_eq!(outsider("chmod", &[&key]), 0);
    assert_eq!(outsider("rename", &[&key, &other]), 0);
    assert_eq!(outsider("rename", &[&other, &key]), 0);
    assert_eq!(session.member("create", &[&other]), 0);
    assert_eq!(session.member("unlink", &[&other]), 0);
    // A change that is told comes after those that are not.
    acted(&session, "chmod", &["key"], ChangeKind::Attributes);
    assert_eq!(
        session.seen.changes.lock().unwrap().len(),
        1,
        "{:?}",
        session.seen.changes
    );
}
