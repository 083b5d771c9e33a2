//! A run that sudo has started.

use std::{os::unix::fs::PermissionsExt, process::Command};

use nix::unistd::{Gid, Uid, User, geteuid};

use super::supervised::{Done, Free, Supervised};

/// Runs `words` as if user `uid` had called sudo; `None`, with a word, where this cannot be done here.
fn run_for(uid: u32, gid: u32, words: &[&str]) -> Option<Done> {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return None;
    }
    let calls_sudo = || {
        let set = |key: &str, value: &str| {
            // SAFETY: the forked process has one thread.
            unsafe { std::env::set_var(key, value) };
        };
        set("SUDO_UID", &uid.to_string());
        set("SUDO_GID", &gid.to_string());
        set("SUDO_USER", "nobody");
        set("SUDO_COMMAND", "scopeward run");
        set("HOME", "/root");
        set("USER", "root");
    };
    Some(Supervised::start(words, Free::default(), calls_sudo).done())
}

#[test]
fn the_command_is_the_callers() {
    let nobody = User::from_name("nobody").unwrap().unwrap();
    let (uid, gid) = (nobody.uid.as_raw(), nobody.gid.as_raw());
    let script =
        "grep -E '^(Uid|Gid)' /proc/self/status; id -G; echo $HOME $USER $LOGNAME; env | grep -c ^SUDO_";
    let Some(done) = run_for(uid, gid, &["--scope", "x", "--", "sh", "-c", script]) else {
        return;
    };
    let groups = Command::new("id").args(["-G", "nobody"]).output().unwrap().stdout;
    let groups = String::from_utf8(groups).unwrap();
    let home = nobody.dir.display();
    let expected = format!(
        "Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{gid}\t{gid}\t{gid}\t{gid}\n{groups}{home} nobody nobody\n0\n"
    );
    assert_eq!(done.stdout, expected, "{done:?}");
}

#[test]
fn a_caller_without_a_name_has_no_groups_of_root() {
    let nameless = 3_999_999_001;
    assert!(User::from_uid(Uid::from_raw(nameless)).unwrap().is_none());
    let words = ["--scope", "x", "--", "sh", "-c", "id -u; id -G; echo $HOME"];
    let Some(done) = run_for(nameless, nameless, &words) else {
        return;
    };
    assert_eq!(done.stdout, format!("{nameless}\n{nameless}\n/\n"), "{done:?}");
}

#[test]
fn root_itself_stays_root() {
    let Some(done) = run_for(0, 0, &["--scope", "x", "--", "id", "-u"]) else {
        return;
    };
    assert_eq!(done.stdout, "0\n", "{done:?}");
}

#[test]
fn an_id_that_is_none_is_refused() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let words = ["--scope", "x", "--", "true"];
    for wrong in ["4294967295", "-1", "nobody", ""] {
        let calls_sudo = || {
            // SAFETY: the forked process has one thread.
            unsafe { std::env::set_var("SUDO_UID", wrong) };
            // SAFETY: as above.
            unsafe { std::env::set_var("SUDO_GID", "1000") };
        };
        let done = Supervised::start(&words, Free::default(), calls_sudo).done();
        assert_eq!(done.status, 1, "{wrong:?}: {done:?}");
        assert!(done.stderr.contains("SUDO_UID"), "{done:?}");
    }
}

#[test]
fn events_are_written_with_the_callers_rights_only() {
    let dir = tempfile::tempdir().unwrap();
    let [closed, open] = ["closed", "open"].map(|name| dir.path().join(name));
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    for (path, mode) in [(&closed, 0o700), (&open, 0o777)] {
        std::fs::create_dir(path).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    for (path, status) in [(&closed, 1), (&open, 0)] {
        let events = path.join("events");
        let words = ["--scope", "x", "--events", events.to_str().unwrap(), "--", "true"];
        let Some(done) = run_for(65_534, 65_534, &words) else {
            return;
        };
        assert_eq!((done.status, events.exists()), (status, status == 0), "{done:?}");
    }
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(open.join("events")).unwrap());
    assert_eq!(Uid::from_raw(owner), Uid::from_raw(65_534));
    assert!(Gid::effective().as_raw() == 0);
}
