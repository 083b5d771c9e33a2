//! Endpoints: addresses, networks, port ranges, protocols, both families, each decided before the act.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use scopeward_tests::attack::technique::{Family, Transport};
use scopeward_tests::listener::Listener;
use scopeward_tests::netns::{self, allowed, forbidden};
use scopeward_tests::programs;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session, cuts};

/// One attempt: by which technique, to which server, and whether it is inside the scope.
struct Attempt {
    technique: &'static str,
    server: usize,
    inside: bool,
}

const fn attempt(technique: &'static str, server: usize, inside: bool) -> Attempt {
    Attempt {
        technique,
        server,
        inside,
    }
}

/// Makes all attempts in one session under `tables`, and checks who was reached. `tag` of each is its number.
fn check(servers: &[Listener], tables: &str, attempts: &[Attempt]) -> Ended {
    let scratch = Scratch::new().expect("make a directory");
    let scope = scratch
        .write("scope.toml", scope::with(tables))
        .expect("write the scope");
    let attack = programs::attack();
    let lines = attempts.iter().enumerate().map(|(number, attempt)| {
        let to = servers[attempt.server].address();
        let near = servers[0].address();
        format!(
            "{} {} --tag a{number} --to {to} --allowed {near} >/dev/null\n",
            attack.display(),
            attempt.technique
        )
    });
    let script: String = lines.collect();
    let ended = Session::new(&scratch, &scope)
        .run(&["sh", "-c", &script])
        .expect("run");
    for (number, attempt) in attempts.iter().enumerate() {
        let tag = format!("a{number}");
        let expected = usize::from(attempt.inside);
        let tally = servers[attempt.server].settled(|tally| tally.delivered(&tag) >= expected);
        let to = servers[attempt.server].address();
        let what = format!(
            "{} to {to} under\n{tables}\n{tally:?} {ended:#?}",
            attempt.technique
        );
        assert_eq!(tally.delivered(&tag), expected, "{what}");
        let protocol = if attempt.technique.starts_with("udp") {
            "udp"
        } else {
            "tcp"
        };
        let cut =
            cuts(&ended.events).any(|event| is_about(event, to) && event["act"]["protocol"] == protocol);
        let expected_cut = attempts
            .iter()
            .any(|other| other.server == attempt.server && !other.inside);
        assert_eq!(cut, expected_cut, "a cut for {what}");
    }
    ended
}

fn is_about(event: &serde_json::Value, to: SocketAddr) -> bool {
    let act = &event["act"];
    act["address"] == to.ip().to_string().as_str() && act["port"].as_u64() == Some(to.port().into())
}

fn ready() -> bool {
    require(&[Need::Root, Need::Bpf, Need::Scopeward, Need::Ip])
}

fn serve(transport: Transport, address: IpAddr) -> Listener {
    Listener::start(transport, (address, 0).into()).expect("start a server")
}

#[test]
fn an_address_allows_every_port_and_protocol() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    netns::in_new_network(|| {
        let servers = [
            serve(Transport::Tcp, allowed(Family::V4)),
            serve(Transport::Udp, allowed(Family::V4)),
            serve(Transport::Tcp, forbidden(Family::V4)),
            serve(Transport::Udp, forbidden(Family::V4)),
        ];
        let tables = format!(
            "[network]\ndefault = \"deny\"\nallow = [\"{}\"]",
            allowed(Family::V4)
        );
        let attempts = [
            attempt("tcp4", 0, true),
            attempt("tcp-v4-mapped", 0, true),
            attempt("udp-sendto", 1, true),
            attempt("udp-connected", 1, true),
            attempt("udp-v4-mapped", 1, true),
            attempt("tcp4", 2, false),
            attempt("tcp-v4-mapped", 2, false),
            attempt("udp-sendto", 3, false),
            attempt("udp-connected", 3, false),
            attempt("udp-v4-mapped", 3, false),
        ];
        check(&servers, &tables, &attempts);
    })
    .expect("make a network");
}

#[test]
fn ports_ranges_and_protocols_are_told_apart() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    netns::in_new_network(|| {
        let at =
            |transport, port| Listener::start(transport, (allowed(Family::V4), port).into()).expect("start");
        let servers = [
            at(Transport::Tcp, 7000),
            at(Transport::Tcp, 7099),
            at(Transport::Tcp, 7100),
            at(Transport::Udp, 7050),
            at(Transport::Tcp, 7200),
            at(Transport::Udp, 7200),
        ];
        let host = allowed(Family::V4);
        let tables =
            format!("[network]\ndefault = \"deny\"\nallow = [\"{host}:7000-7099/tcp\", \"{host}:7200/udp\"]");
        let attempts = [
            attempt("tcp4", 0, true),
            attempt("tcp4", 1, true),
            attempt("tcp4", 2, false),
            attempt("udp-sendto", 3, false),
            attempt("tcp4", 4, false),
            attempt("udp-sendto", 5, true),
        ];
        check(&servers, &tables, &attempts);
    })
    .expect("make a network");
}

#[test]
fn networks_of_both_families_and_the_most_specific_wins() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    netns::in_new_network(|| {
        let servers = [
            serve(Transport::Tcp, allowed(Family::V4)),
            serve(Transport::Tcp, forbidden(Family::V4)),
            serve(Transport::Tcp, allowed(Family::V6)),
            serve(Transport::Tcp, forbidden(Family::V6)),
        ];
        let tables = format!(
            "[network]\ndefault = \"deny\"\nallow = [\"10.99.0.0/24\", \"fd99::/16\"]\n[[network.rule]]\n\
             to = [\"{}\", \"{}\"]\nresponse = \"deny\"\nreason = \"more specific\"",
            forbidden(Family::V4),
            forbidden(Family::V6)
        );
        let attempts = [
            attempt("tcp4", 0, true),
            attempt("tcp4", 1, false),
            attempt("tcp-v4-mapped", 1, false),
            attempt("tcp6", 2, true),
            attempt("tcp6", 3, false),
        ];
        let ended = check(&servers, &tables, &attempts);
        let rules: Vec<&str> = cuts(&ended.events)
            .filter_map(|event| event["verdict"]["rule"].as_str())
            .collect();
        assert!(
            !rules.is_empty() && rules.iter().all(|rule| *rule == "network.rule[0]"),
            "{rules:?}"
        );
        let before = cuts(&ended.events).all(|event| event["verdict"]["when"] == "before_act");
        assert!(before, "{:#?}", ended.events);
    })
    .expect("make a network");
}

#[test]
fn flag_lets_through_and_kill_ends_the_process_before_a_byte() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    for (response, delivered, status) in [("flag", 1, 0), ("kill", 0, 137)] {
        netns::in_new_network(|| {
            let server = serve(Transport::Tcp, forbidden(Family::V4));
            let near = serve(Transport::Tcp, allowed(Family::V4));
            let scratch = Scratch::new().expect("make a directory");
            let rule = format!(
                "[[network.rule]]\nto = [\"{}\"]\nresponse = \"{response}\"",
                forbidden(Family::V4)
            );
            let tables = format!("[network]\ndefault = \"allow\"\n{rule}");
            let scope = scratch
                .write("scope.toml", scope::with(&tables))
                .expect("write the scope");
            let ended = reach(&scratch, &scope, &server, &near);
            let tally = server.settled(|tally| tally.delivered("held") >= delivered);
            assert_eq!(tally.delivered("held"), delivered, "{response}: {ended:?}");
            assert_eq!(ended.status.code(), Some(status), "{response}: {ended:?}");
            let applied: Vec<&str> = cuts(&ended.events)
                .filter_map(|event| event["verdict"]["applied"].as_str())
                .collect();
            assert_eq!(applied.first(), Some(&response), "{:#?}", ended.events);
        })
        .expect("make a network");
    }
}

fn reach(scratch: &Scratch, scope: &Path, server: &Listener, near: &Listener) -> Ended {
    let attack = programs::attack().display().to_string();
    let (to, near) = (server.address().to_string(), near.address().to_string());
    let words = [
        attack.as_str(),
        "tcp4",
        "--tag",
        "held",
        "--to",
        &to,
        "--allowed",
        &near,
    ];
    Session::new(scratch, scope).run(&words).expect("run")
}
