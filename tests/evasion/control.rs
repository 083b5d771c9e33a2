//! Without Scopeward every technique succeeds: one that fails by itself would prove nothing.

use std::time::Duration;

use nix::libc;
use scopeward_tests::attack::catalogue::TECHNIQUES;
use scopeward_tests::attack::loot::Loot;
use scopeward_tests::attack::supervise::slot_of;
use scopeward_tests::attack::technique::{
    Content, FileTechnique, Gain, NetworkTechnique, Sort, Technique, Transport,
};
use scopeward_tests::listener::Listener;
use scopeward_tests::netns;
use scopeward_tests::process::Bounded;
use scopeward_tests::requirement::{Need, require, say_skipped, take_turn};
use scopeward_tests::scratch::Scratch;
use scopeward_tests::trial::{Targets, answers, file_attack, network_attack, strange};

/// Enough to see that a technique works each time.
const TRIALS: usize = 10;
const BOUND: Duration = Duration::from_secs(120);

fn run(words: &[std::ffi::OsString]) {
    let mut command = std::process::Command::new(&words[0]);
    let output = Bounded::start(command.args(&words[1..]))
        .expect("start the attack")
        .finish(BOUND)
        .expect("finish");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn check_file(technique: &Technique, file: FileTechnique) -> Result<(), String> {
    let scratch = Scratch::new().expect("make a directory");
    let guarded = Targets::new(&scratch, "guarded", file, TRIALS).expect("place files");
    let benign = Targets::new(&scratch, "benign", file, TRIALS).expect("place files");
    let loot = Loot::create(&scratch.path("loot"), TRIALS * 2).expect("make the loot");
    let (on, twin, aside) = (guarded.pattern(), benign.pattern(), scratch.path("inside"));
    run(&file_attack(
        technique,
        TRIALS,
        &scratch.path("loot"),
        &aside,
        &on,
        Some(&twin),
    ));
    let gained = guarded.gained(&loot, false);
    let twin = benign.gained(&loot, true);
    let strange = strange(&loot, TRIALS, false, &guarded.secret);
    if gained == TRIALS && twin == TRIALS && strange == 0 {
        return Ok(());
    }
    let answered = answers(&loot, TRIALS, false);
    Err(format!(
        "{}: {gained} and {twin} of {TRIALS}, strange {strange}; {answered}",
        technique.name
    ))
}

#[test]
fn every_file_technique_succeeds() {
    if !require(&[Need::Root]) {
        return;
    }
    let _turn = take_turn();
    let files = TECHNIQUES.iter().filter_map(|technique| match technique.sort {
        Sort::File(file) => Some((technique, file)),
        Sort::Network(_) | Sort::Service(_) | Sort::Outsider(_) => None,
    });
    let failed: Vec<String> = files
        .filter_map(|(technique, file)| check_file(technique, file).err())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Kernels may lack a transport; then there is nothing to evade through.
fn is_lacking(error: &std::io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EPROTONOSUPPORT | libc::ESOCKTNOSUPPORT | libc::EAFNOSUPPORT)
    )
}

fn check_network(technique: &Technique, network: NetworkTechnique) -> Result<(), String> {
    let name = technique.name;
    let forbidden = (netns::forbidden(network.family), 0).into();
    let forbidden = match Listener::start(network.transport, forbidden) {
        Ok(listener) => listener,
        Err(error) if is_lacking(&error) => {
            say_skipped(
                &format!("control::{name}"),
                &format!("this kernel has no {:?}", network.transport),
            );
            return Ok(());
        }
        Err(error) => return Err(format!("{name}: {error}")),
    };
    let twin_transport = if network.forbidden_socket {
        Transport::Udp
    } else {
        network.transport
    };
    let allowed = Listener::start(twin_transport, (netns::allowed(network.family), 0).into());
    let allowed = allowed.expect("start the allowed server");
    let scratch = Scratch::new().expect("make a directory");
    let loot = Loot::create(&scratch.path("loot"), TRIALS * 2).expect("make the loot");
    let (to, near) = (forbidden.address(), allowed.address());
    run(&network_attack(
        technique,
        TRIALS,
        &scratch.path("loot"),
        "control",
        to,
        near,
        true,
    ));
    let far = forbidden.settled(|tally| tally.delivered("control") == TRIALS);
    let near = allowed.settled(|tally| tally.delivered("twin") == TRIALS);
    if far.delivered("control") == TRIALS && near.delivered("twin") == TRIALS && far.foreign == 0 {
        return special(name);
    }
    let errno = loot.slot(slot_of(0, false)).errno();
    Err(format!(
        "{name}: {far:?}; {near:?}; {}; errno {errno}",
        answers(&loot, TRIALS, false)
    ))
}

/// Fast Open and MPTCP fall back to plain TCP without a word: the kernel's own counters say whether they were used.
fn special(name: &str) -> Result<(), String> {
    let counters: &[(&str, &str)] = match name {
        "fast-open" | "fast-open6" | "fast-open-deferred" => &[("TcpExt", "TCPFastOpenPassive")],
        "fast-open-mptcp" => &[("TcpExt", "TCPFastOpenPassive"), ("MPTcpExt", "MPCapableSYNRX")],
        "mptcp4" | "mptcp6" => &[("MPTcpExt", "MPCapableSYNRX")],
        _ => &[],
    };
    for (group, counter) in counters {
        let count = netns::counter(group, counter).expect("read the counters");
        if count < TRIALS as u64 {
            return Err(format!(
                "{name}: {counter} is {count}, so the technique was not really used"
            ));
        }
    }
    Ok(())
}

#[test]
fn every_network_technique_succeeds() {
    if !require(&[Need::Root, Need::Ip]) {
        return;
    }
    let _turn = take_turn();
    let mut failed = Vec::new();
    for technique in TECHNIQUES {
        if let Sort::Network(network) = technique.sort {
            let checked =
                netns::in_new_network(|| check_network(technique, network)).expect("make a network");
            failed.extend(checked.err());
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_table_has_each_technique_once() {
    let mut names: Vec<&str> = TECHNIQUES.iter().map(|technique| technique.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TECHNIQUES.len());
    let programs = TECHNIQUES.iter().filter(
        |technique| matches!(technique.sort, Sort::File(file) if file.content == Content::Program && file.gain == Gain::Read),
    );
    assert_eq!(programs.count(), 2);
}
