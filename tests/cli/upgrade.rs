//! A daemon of another version takes over: sessions stay held all the time.

use std::time::Duration;

use scopeward_tests::daemon::{Daemon, leftovers, listing};
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

const BOUND: Duration = Duration::from_secs(30);

/// Whoever forks all the time and tries to read all the time, and says how often each ended how.
const TRIES: &str =
    "while ! test -e \"$2\"; do cat \"$1\" 2>/dev/null; echo $?; (: 1); done | sort | uniq -c";

fn held_across(prepare: impl Fn(&Scratch)) {
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let text = scope::guarding(std::slice::from_ref(&guarded), "kill");
    let scope = scratch.write("scope.toml", text).expect("write the scope");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let (ready, enough) = (scratch.path("ready"), scratch.path("enough"));
    let script = format!(
        ": >{}; set -- {} {}; {TRIES}",
        ready.display(),
        guarded.display(),
        enough.display()
    );
    let session = Session::new(&scratch, &scope);
    let mut running = session.start(&["sh", "-c", &script]).expect("start");
    assert!(
        running.has_made(&ready, BOUND).expect("wait"),
        "the command does not run"
    );
    std::thread::sleep(Duration::from_millis(300));
    daemon
        .kill()
        .expect("end the daemon as an upgrade that goes wrong does");
    prepare(&scratch);
    let before = scratch.pins();
    let daemon = Daemon::start(&scratch).expect("start the next daemon");
    let adopted = wait_until(BOUND, || {
        listing(&scratch, &["sessions", "--json"]).is_ok_and(|sessions| !sessions.is_empty())
    });
    std::thread::sleep(Duration::from_millis(500));
    let status = daemon.status().expect("ask");
    let after = scratch.pins();
    std::fs::write(&enough, "").expect("let it end");
    let ended = session.end(running).expect("end");
    assert!(adopted, "the next daemon does not know the session: {ended:?}");
    let outcomes: Vec<Vec<&str>> = ended
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let [killed] = outcomes.as_slice() else {
        panic!("not every try ended alike: {ended:?}");
    };
    let [count, code] = killed.as_slice() else {
        panic!("{ended:?}");
    };
    assert!(
        *code == "137" && count.parse::<u32>().is_ok_and(|count| count > 20),
        "{ended:?}"
    );
    assert_eq!(before.len(), 1, "{before:?}");
    assert_eq!(
        after.len(),
        1,
        "what the other version pinned is still there: {after:?}"
    );
    assert!(
        after[0].ends_with(scratch.pins_name()),
        "{after:?} is not this version's"
    );
    assert!(
        !status["degraded"].to_string().contains("another version"),
        "{status:#}"
    );
    daemon.stop().expect("stop");
    assert_eq!(leftovers(&scratch).expect("look"), Vec::<String>::new());
    assert_eq!(scratch.pins(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_same_layout_is_handed_over_with_no_free_act() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    held_across(|_| {});
}

#[test]
fn another_layout_is_held_beside_until_it_is_taken_over_with_no_free_act() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    // What a version of another layout leaves is what this one leaves under another name: of its values only those are
    // read that stay at their place in every version, which `scopeward_abi::layout` asserts.
    held_across(|scratch| {
        let [pins] = &scratch.pins()[..] else {
            panic!("{:?}", scratch.pins());
        };
        let name = scratch.pins_name();
        let (_, of) = name.rsplit_once('-').expect("the name says whose");
        std::fs::rename(pins, pins.with_file_name(format!("v0fedcba98765432-{of}")))
            .expect("rename the pins");
    });
}
