//! Ways to open a guarded file: a member is denied each, an outsider none.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::Duration;

use nix::libc::{EPERM, major, minor};
use scopeward::observe::fanotify::Guarded;

use crate::actor::Actor;
use crate::session::{Session, can_run, outsider, settings, within};

/// Tries one way as a member and, on the same paths, as an outsider before and after.
fn hold(session: &Session, act: &str, paths: &[&Path]) {
    assert_eq!(outsider(act, paths), 0, "{act} outside, before");
    assert_eq!(session.member(act, paths), EPERM, "{act} by a member");
    assert_eq!(outsider(act, paths), 0, "{act} outside, after");
}

#[test]
fn a_guarded_file_is_denied_under_every_name() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let key = session.path("key");
    let (link, hard, other) = (session.path("link"), session.path("hard"), session.path("other"));
    symlink(&key, &link).unwrap();
    fs::hard_link(&key, &hard).unwrap();
    fs::create_dir(&other).unwrap();
    for act in ["open", "openat2", "by-handle", "through-root", "write"] {
        hold(&session, act, &[&key]);
    }
    hold(&session, "open", &[&link]);
    hold(&session, "open", &[&hard]);
    hold(&session, "bind-open", &[session.dir.path(), &other, &key]);
    let asked = session.seen.asked.lock().unwrap();
    let data = fs::metadata(&key).unwrap();
    let dev = (major(data.dev()), minor(data.dev()));
    assert!(
        asked
            .iter()
            .all(|asked| (asked.dev, asked.inode) == (dev, data.ino()) && !asked.exec && !asked.read)
    );
    assert!(asked.iter().any(|asked| asked.path.as_deref() == Some(&key)));
    let counters = session.tier.counters();
    assert_eq!(counters.asked, asked.len() as u64);
    assert_eq!(counters.denied, counters.asked);
    assert_eq!((counters.errors, counters.released), (0, 0));
}

#[test]
fn no_thread_reads_a_byte_in_a_thousand_tries() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    hold(&session, "steal", &[&session.path("key")]);
    assert_eq!(session.tier.counters().denied, 1000);
}

#[test]
fn a_rename_first_does_not_help() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let moved = session.path("moved");
    assert_eq!(
        session.member("rename-open", &[&session.path("key"), &moved]),
        EPERM
    );
    assert_eq!(session.member("open", &[&moved]), EPERM);
    assert_eq!(outsider("open", &[&moved]), 0);
}

#[test]
fn a_guarded_program_does_not_run() {
    if !can_run() {
        return;
    }
    let program = |dir: &Path| dir.join("program");
    let session = Session::with(settings(), |dir| {
        fs::copy("/bin/true", program(dir)).unwrap();
        Guarded {
            exact: vec![program(dir)],
            ..Guarded::default()
        }
    });
    hold(&session, "exec", &[&program(session.dir.path())]);
    assert!(session.seen.asked.lock().unwrap()[0].exec);
}

#[test]
fn a_descriptor_that_the_member_did_not_open_gives_no_byte() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let actor = Actor::start("read-early", &[&session.path("key")]);
    let opened = || (session.tier.counters().outside > 0).then_some(());
    within(Duration::from_secs(5), opened).unwrap();
    session.enrol(actor.pid());
    let pid = actor.pid();
    assert_eq!(actor.finish(), EPERM);
    let asked = session.seen.asked.lock().unwrap();
    assert!(asked[0].read && asked[0].pid == pid, "{asked:?}");
}

#[test]
fn a_tree_is_held_in_every_depth_and_by_hard_links_out_of_it() {
    if !can_run() {
        return;
    }
    let session = Session::with(settings(), |dir| {
        fs::create_dir_all(dir.join("tree/a/b")).unwrap();
        fs::write(dir.join("tree/a/b/deep"), "secret").unwrap();
        fs::hard_link(dir.join("tree/a/b/deep"), dir.join("out")).unwrap();
        Guarded {
            trees: vec![dir.join("tree")],
            ..Guarded::default()
        }
    });
    hold(&session, "open", &[&session.path("tree/a/b/deep")]);
    hold(&session, "open", &[&session.path("out")]);
    assert_eq!(
        session.member("open", &[&session.path("key")]),
        0,
        "beside the tree"
    );
    assert_eq!(session.member("create", &[&session.path("tree/a/new")]), EPERM);
}

#[test]
fn a_large_file_is_not_denied_to_outsiders() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let file = fs::File::options().write(true).open(session.path("key")).unwrap();
    file.set_len(3 << 30).unwrap();
    drop(file);
    assert_eq!(outsider("openat2", &[&session.path("key")]), 0);
    assert_eq!(session.member("openat2", &[&session.path("key")]), EPERM);
}

#[test]
fn outsiders_go_on_while_members_are_denied() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    let key = session.path("key");
    let mut outside: Vec<_> = (0..4).map(|_| Actor::start("open-often", &[&key])).collect();
    outside.iter_mut().for_each(Actor::go);
    for _ in 0..10 {
        assert_eq!(session.member("open", &[&key]), EPERM);
    }
    for actor in outside {
        assert_eq!(actor.finish(), 0);
    }
    assert!(session.tier.counters().outside >= 800);
}

#[test]
fn nothing_is_asked_once_disarmed() {
    if !can_run() {
        return;
    }
    let session = Session::new();
    session.tier.disarm().unwrap();
    assert_eq!(session.member("open", &[&session.path("key")]), 0);
    assert_eq!(session.tier.counters().asked, 0);
    assert_eq!(
        session.tier.state(),
        scopeward::observe::fanotify::FanotifyState::Idle
    );
}
