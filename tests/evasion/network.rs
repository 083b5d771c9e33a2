//! In a session no technique delivers a byte to an endpoint outside the scope; to an endpoint inside it everything
//! arrives, and so does everything from the same attacker outside the session, at the same time.

use std::process::Command;
use std::time::Duration;

use nix::libc;
use scopeward_tests::attack::loot::Loot;
use scopeward_tests::attack::technique::{NetworkTechnique, Sort, Technique, Transport};
use scopeward_tests::expectation;
use scopeward_tests::listener::Listener;
use scopeward_tests::netns;
use scopeward_tests::process::Bounded;
use scopeward_tests::programs::trials;
use scopeward_tests::requirement::{Need, require, say_skipped, take_turn, test_name};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Session, cuts};
use scopeward_tests::table::{self, Row};
use scopeward_tests::trial::{answers, meeting, network_attack, recorded};

use crate::judgement::judge;

fn check(name: &str) {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward, Need::Ip]) {
        return;
    }
    let technique = Technique::named(name).expect("a technique of the table");
    let Sort::Network(network) = technique.sort else {
        panic!("{name} is no network technique")
    };
    let _turn = take_turn();
    let test = test_name();
    netns::in_new_network(|| hold(&test, technique, network)).expect("make a network");
}

pub fn hold(test: &str, technique: &Technique, network: NetworkTechnique) {
    let name = technique.name;
    let trials = trials();
    let forbidden = match Listener::start(network.transport, (netns::forbidden(network.family), 0).into()) {
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EPROTONOSUPPORT | libc::ENOPROTOOPT)
            ) =>
        {
            let why = format!("this kernel has no {:?}", network.transport);
            table::add_lacking(name, expectation::tier(), &why).expect("write the table");
            say_skipped(test, &why);
            return;
        }
        other => other.expect("start the forbidden server"),
    };
    let twin_transport = if network.forbidden_socket {
        Transport::Udp
    } else {
        network.transport
    };
    let allowed = Listener::start(twin_transport, (netns::allowed(network.family), 0).into());
    let allowed = allowed.expect("start the allowed server");

    let scratch = Scratch::new().expect("make a directory");
    let endpoints = [netns::allowed(network.family).to_string()];
    let scope = scratch
        .write("scope.toml", scope::reaching(&endpoints))
        .expect("write the scope");
    let inside = Loot::create(&scratch.path("loot-inside"), trials * 2).expect("make the loot");
    Loot::create(&scratch.path("loot-outside"), trials * 2).expect("make the loot");
    let (here, there) = (scratch.path("inside-is-here"), scratch.path("outside-is-here"));
    let (far, near) = (forbidden.address(), allowed.address());
    let mut attack = network_attack(
        technique,
        trials,
        &scratch.path("loot-inside"),
        "inside",
        far,
        near,
        true,
    );
    attack.extend(meeting(&here, &there));
    let mut same = network_attack(
        technique,
        trials,
        &scratch.path("loot-outside"),
        "outside",
        far,
        near,
        false,
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
    let far = forbidden.settled(|tally| tally.delivered("outside") == trials);
    let near = allowed.settled(|tally| tally.delivered("twin") == trials);

    let row = Row {
        technique: name.to_owned(),
        tier: expectation::tier(),
        trials,
        obtained: far.delivered("inside"),
        twin: near.delivered("twin"),
        outside: far.delivered("outside"),
        answered: answers(&inside, trials, false),
        recorded: recorded(&ended.events),
        open: String::new(),
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
        "to an allowed endpoint everything must arrive: {said}"
    );
    judge(&row, None, &ended.events, &said);
    assert_eq!(far.foreign, 0, "bytes that no attacker sent: {far:?}");
    assert!(
        far.connections <= trials,
        "a connection came from inside the session: {far:?} {said}"
    );
    let address = netns::forbidden(network.family).to_string();
    let named = cuts(&ended.events).filter(|event| {
        event["act"]["address"] == address.as_str()
            || (network.forbidden_socket && event["act"]["kind"] == "socket.create")
    });
    assert!(
        named.count() > 0,
        "no cut names the endpoint: {:#?} {said}",
        ended.events
    );
    let near_cut = cuts(&ended.events).find(|event| event["act"]["address"] == endpoints[0].as_str());
    assert!(
        near_cut.is_none(),
        "an allowed act is recorded as a cut: {near_cut:#?}"
    );
}

techniques! {
    check, Network, every_network_technique_has_a_test;
    tcp4: "tcp4",
    tcp6: "tcp6",
    tcp_v4_mapped: "tcp-v4-mapped",
    tcp_thread: "tcp-thread",
    tcp_nonblocking: "tcp-nonblocking",
    tcp_reconnect: "tcp-reconnect",
    fast_open: "fast-open",
    fast_open6: "fast-open6",
    fast_open_deferred: "fast-open-deferred",
    fast_open_mptcp: "fast-open-mptcp",
    mptcp4: "mptcp4",
    mptcp6: "mptcp6",
    sctp: "sctp",
    udp_connected: "udp-connected",
    udp_sendto: "udp-sendto",
    udp6_sendto: "udp6-sendto",
    udp_v4_mapped: "udp-v4-mapped",
    udp_sendmsg: "udp-sendmsg",
    udp_sendmmsg: "udp-sendmmsg",
    udp_packet_info: "udp-packet-info",
    udp_connected_elsewhere: "udp-connected-elsewhere",
    udp_reconnect: "udp-reconnect",
    udp_lite: "udp-lite",
    io_uring_connect: "io-uring-connect",
    io_uring_sendmsg: "io-uring-sendmsg",
    raw: "raw",
    packet: "packet",
    ping: "ping",
}
