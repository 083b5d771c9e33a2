//! In a session no technique obtains a byte of a guarded file or changes it; its benign twin is untouched, and so is
//! the same attacker outside the session, at the same time, on the same files.

use std::process::Command;
use std::time::Duration;

use scopeward_tests::attack::loot::Loot;
use scopeward_tests::attack::technique::{FileTechnique, Sort, Technique};
use scopeward_tests::expectation;
use scopeward_tests::process::Bounded;
use scopeward_tests::programs::trials;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Session, cuts};
use scopeward_tests::table::{self, Row};
use scopeward_tests::trial::{Targets, answers, file_attack, meeting, recorded, strange};

use crate::judgement::judge;

fn check(name: &str) {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let technique = Technique::named(name).expect("a technique of the table");
    let Sort::File(file) = technique.sort else {
        panic!("{name} is no file technique")
    };
    let _turn = take_turn();
    hold(technique, file);
}

pub fn hold(technique: &Technique, file: FileTechnique) {
    let trials = trials();
    let scratch = Scratch::new().expect("make a directory");
    let place = |directory| Targets::new(&scratch, directory, file, trials).expect("place files");
    let guarded = place("guarded");
    let benign = place("benign");
    // Where a success uses a file up, the attacker outside has guarded files of its own.
    let apart = file.consumes.then(|| place("guarded-too"));
    let theirs = apart.as_ref().unwrap_or(&guarded);

    let mut paths = guarded.paths();
    paths.extend(apart.iter().flat_map(Targets::paths));
    let scope = scratch
        .write("scope.toml", scope::guarding(&paths, "kill"))
        .expect("write the scope");
    let inside = Loot::create(&scratch.path("loot-inside"), trials * 2).expect("make the loot");
    let outside = Loot::create(&scratch.path("loot-outside"), trials * 2).expect("make the loot");
    let (here, there) = (scratch.path("inside-is-here"), scratch.path("outside-is-here"));

    let aside = scratch.path("inside");
    let twin = benign.pattern();
    let mut attack = file_attack(
        technique,
        trials,
        &scratch.path("loot-inside"),
        &aside,
        &guarded.pattern(),
        Some(&twin),
    );
    attack.extend(meeting(&here, &there));
    let aside = scratch.path("outside");
    let mut same = file_attack(
        technique,
        trials,
        &scratch.path("loot-outside"),
        &aside,
        &theirs.pattern(),
        None,
    );
    same.extend(meeting(&there, &here));

    let session = Session::new(&scratch, &scope);
    let running = session.start(&attack).expect("start the session");
    let neighbour =
        Bounded::start(Command::new(&same[0]).args(&same[1..])).expect("start the attacker outside");
    let ended = session.end(running).expect("the session ends");
    let neighbour = neighbour
        .finish(Duration::from_secs(300))
        .expect("the attacker outside ends");

    let name = technique.name;
    let tier = expectation::tier();
    let open = expectation::open(name, tier);
    let row = Row {
        technique: name.to_owned(),
        tier,
        trials,
        obtained: guarded.gained(&inside, false),
        twin: benign.gained(&inside, true),
        outside: theirs.gained(&outside, false),
        answered: answers(&inside, trials, false),
        recorded: recorded(&ended.events),
        open: open.unwrap_or_default().to_owned(),
    };
    table::add(&row).expect("write the table");

    let said = format!("{row:#?}\n{}\n{}", ended.stdout, ended.stderr);
    assert!(
        ended.status.success(),
        "the supervisor itself was stopped: {:?} {said}",
        ended.status
    );
    assert!(
        neighbour.status.success(),
        "{}",
        String::from_utf8_lossy(&neighbour.stderr)
    );
    assert_eq!(
        row.outside, trials,
        "outside the session the technique must work: {said}"
    );
    assert_eq!(
        row.twin, trials,
        "on a file outside the rules the technique must work: {said}"
    );
    assert_eq!(
        strange(&inside, trials, false, &guarded.secret),
        0,
        "bytes from elsewhere: {said}"
    );
    judge(&row, open, &ended.events, &said);
    let named = cuts(&ended.events).filter(|event| {
        let act = &event["act"];
        [&act["path"], &act["to"], &act["guarded_as"]]
            .iter()
            .any(|path| path.as_str().is_some_and(|path| path.contains("/guarded")))
    });
    assert!(
        named.count() > 0,
        "no cut names the guarded file: {:#?} {said}",
        ended.events
    );
    let benign_cut = cuts(&ended.events).find(|event| event["act"]["path"].to_string().contains("/benign/"));
    assert!(
        benign_cut.is_none(),
        "a benign act is recorded as a cut: {benign_cut:#?}"
    );
}

techniques! {
    check, File, every_file_technique_has_a_test;
    open: "open",
    symlink: "symlink",
    hard_link: "hard-link",
    rename: "rename",
    proc_root: "proc-root",
    bind_mount: "bind-mount",
    bind_mount_file: "bind-mount-file",
    chroot: "chroot",
    openat2: "openat2",
    open_by_handle: "open-by-handle",
    o_path: "o-path",
    mmap: "mmap",
    io_uring: "io-uring",
    io_uring_linked: "io-uring-linked",
    io_uring_fixed: "io-uring-fixed",
    io_uring_polled: "io-uring-polled",
    orphan: "orphan",
    vfork: "vfork",
    exec_from_thread: "exec-from-thread",
    clone_parent: "clone-parent",
    fork_tree: "fork-tree",
    thread_race: "thread-race",
    clone_files: "clone-files",
    pidfd_getfd: "pidfd-getfd",
    scm_rights: "scm-rights",
    fifo: "fifo",
    int80: "int80",
    cat: "cat",
    python: "python",
    cp: "cp",
    sendfile: "sendfile",
    splice: "splice",
    copy_file_range: "copy-file-range",
    execve: "execve",
    execveat: "execveat",
    truncating_open: "truncating-open",
    creat: "creat",
    overwrite: "overwrite",
    truncate: "truncate",
    unlink: "unlink",
}
