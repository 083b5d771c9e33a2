//! In a session no technique reaches a guarded service; a service outside the rules gets everything, and so does the
//! guarded one from the same attacker outside the session, at the same time.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use scopeward_tests::attack::catalogue::TECHNIQUES;
use scopeward_tests::attack::loot::Loot;
use scopeward_tests::attack::technique::{Sort, Technique};
use scopeward_tests::expectation;
use scopeward_tests::process::Bounded;
use scopeward_tests::programs::trials;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Session, cuts};
use scopeward_tests::table::{self, Row};
use scopeward_tests::trial::{answers, meeting, recorded, service_attack};
use scopeward_tests::unix_service::Service;

use crate::judgement::judge;

fn check(name: &str) {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let technique = Technique::named(name).expect("a technique of the table");
    assert!(
        matches!(technique.sort, Sort::Service(_)),
        "{name} is no technique on a service"
    );
    let _turn = take_turn();
    hold(technique);
}

fn started(scratch: &Scratch, directory: &str) -> (std::path::PathBuf, Service) {
    let at = scratch.path(directory);
    let service = Service::start(&at).expect("start a service");
    (at, service)
}

pub fn hold(technique: &Technique) {
    let trials = trials();
    let scratch = Scratch::new().expect("make a directory");
    let (at, guarded) = started(&scratch, "guarded");
    let (near, benign) = started(&scratch, "benign");
    let patterns: Vec<String> = guarded
        .addresses
        .patterns()
        .iter()
        .map(|pattern| format!("{pattern:?}"))
        .collect();
    let tables = format!(
        "[sockets]\ndefault = \"allow\"\n[[sockets.rule]]\npath = [{}]\nresponse = \"kill\"\nweight = 1",
        patterns.join(", ")
    );
    let scope = scratch
        .write("scope.toml", scope::with(&tables))
        .expect("write the scope");
    let inside = Loot::create(&scratch.path("loot-inside"), trials * 2).expect("make the loot");
    Loot::create(&scratch.path("loot-outside"), trials * 2).expect("make the loot");
    let (here, there) = (scratch.path("inside-is-here"), scratch.path("outside-is-here"));
    let attack = |loot: &str, tag: &str, twin: Option<&Path>, mine: &Path, theirs: &Path| {
        let aside = scratch.path(tag);
        let mut words = service_attack(technique, trials, &scratch.path(loot), tag, &aside, &at, twin);
        words.extend(meeting(mine, theirs));
        words
    };
    let ours = attack("loot-inside", "inside", Some(&near), &here, &there);
    let same = attack("loot-outside", "outside", None, &there, &here);

    let session = Session::new(&scratch, &scope);
    let running = session.start(&ours).expect("start the session");
    let neighbour =
        Bounded::start(Command::new(&same[0]).args(&same[1..])).expect("start the attacker outside");
    let ended = session.end(running).expect("the session ends");
    let neighbour = neighbour
        .finish(Duration::from_secs(300))
        .expect("the attacker outside ends");

    let tier = expectation::tier();
    let open = expectation::open(technique.name, tier);
    let row = Row {
        technique: technique.name.to_owned(),
        tier,
        trials,
        obtained: guarded.delivered("inside"),
        twin: benign.delivered("twin"),
        outside: guarded.delivered("outside"),
        answered: answers(&inside, trials, false),
        recorded: recorded(&ended.events),
        open: open.unwrap_or_default().to_owned(),
    };
    table::add(&row).expect("write the table");
    let said = format!("{row:#?}\n{}\n{}", ended.stdout, ended.stderr);
    assert!(
        ended.status.success(),
        "the supervisor itself was stopped: {said}"
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
        "to a service outside the rules it must work: {said}"
    );
    judge(&row, open, &ended.events, &said);
    if expectation::unseen(technique.name, tier) {
        return;
    }
    assert_eq!(row.answered, format!("killed ×{trials}"), "{said}");
    let directory = at.display().to_string();
    let of = |event: &serde_json::Value| event["act"]["path"].as_str().map(str::to_owned);
    let named = cuts(&ended.events).filter(|event| of(event).is_some_and(|path| path.contains(&directory)));
    assert!(
        named.count() > 0,
        "no cut names the socket: {:#?} {said}",
        ended.events
    );
    let benign = near.display().to_string();
    let near_cut = cuts(&ended.events).find(|event| of(event).is_some_and(|path| path.contains(&benign)));
    assert!(near_cut.is_none(), "an allowed act is a cut: {near_cut:#?}");
}

techniques! {
    check, Service, every_technique_on_a_service_has_a_test;
    path: "unix-path",
    nonblocking: "unix-nonblocking",
    symlink: "unix-symlink",
    hard_link: "unix-hard-link",
    proc_root: "unix-proc-root",
    relative: "unix-relative",
    bind_mount: "unix-bind-mount",
    abstract_name: "unix-abstract",
    datagram_connected: "unix-datagram-connected",
    datagram: "unix-datagram",
    datagram_abstract: "unix-datagram-abstract",
    by_sendmsg: "unix-sendmsg",
    by_sendmmsg: "unix-sendmmsg",
    by_io_uring: "unix-io-uring",
    datagram_by_io_uring: "unix-io-uring-datagram",
}

/// Without Scopeward each of them delivers: one that fails by itself would prove nothing.
#[test]
fn control() {
    if !require(&[Need::Root]) {
        return;
    }
    const TRIALS: usize = 10;
    let _turn = take_turn();
    let mut failed = Vec::new();
    for technique in TECHNIQUES {
        if !matches!(technique.sort, Sort::Service(_)) {
            continue;
        }
        let scratch = Scratch::new().expect("make a directory");
        let (at, service) = started(&scratch, "service");
        let loot = Loot::create(&scratch.path("loot"), TRIALS * 2).expect("make the loot");
        let aside = scratch.path("aside");
        let words = service_attack(
            technique,
            TRIALS,
            &scratch.path("loot"),
            "control",
            &aside,
            &at,
            None,
        );
        let ended = Bounded::start(Command::new(&words[0]).args(&words[1..]))
            .and_then(|running| running.finish(Duration::from_secs(60)))
            .expect("the attack ends");
        let delivered = service.delivered("control");
        if !ended.status.success() || delivered != TRIALS {
            failed.push(format!(
                "{}: {delivered} of {TRIALS}; {}",
                technique.name,
                answers(&loot, TRIALS, false)
            ));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
