//! Endpoints: texts, matching, errors.

use std::net::IpAddr;

use proptest::prelude::*;

use crate::scope::endpoint::{Endpoint, Proto};

fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn texts_are_shown_in_one_way() {
    for (text, shown) in [
        ("api.example.org:443", "api.example.org:443"),
        ("API.Example.org.", "api.example.org"),
        ("*.example.org:443/tcp", "*.example.org:443/tcp"),
        ("github.com:22,443", "github.com:22,443"),
        ("github.com:443,22,23", "github.com:22-23,443"),
        ("10.20.0.0/16:5432/tcp", "10.20.0.0/16:5432/tcp"),
        ("[2001:db8::]/32:443", "[2001:db8::]/32:443"),
        ("[::1]:80/udp", "[::1]:80/udp"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::1", "::1"),
        ("127.0.0.0/8", "127.0.0.0/8"),
        ("192.0.2.7/32", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:10.0.0.0]/104:80", "10.0.0.0/8:80"),
        ("localhost:8000-8999", "localhost:8000-8999"),
        ("@private:22/tcp", "@private:22/tcp"),
        ("@any", "@any"),
    ] {
        assert_eq!(endpoint(text).to_string(), shown, "{text}");
        assert_eq!(endpoint(shown), endpoint(text));
    }
}

#[test]
fn what_is_no_endpoint_is_refused_with_a_remedy() {
    let mut table = String::new();
    for text in [
        "",
        "https://api.example.org/v1",
        "host/path",
        "10.0.0.0/33",
        "[2001:db8::]/129:443",
        "10.1.2.3/8",
        "2001:db8::1/32",
        "10.0.0.256",
        "1.2.3",
        "2001:db8::g",
        "2001:db8::/32:443",
        "[::1",
        "[::1:80",
        "host:0",
        "host:65536",
        "host:http",
        "host:",
        "host:90-80",
        "host:443/icmp",
        "@privat",
        "@zzz",
        "api.*.org",
        "*example.org",
        "*",
        "-x.org",
        "a..b",
        "höst",
        "host:1-",
    ] {
        let error = text.parse::<Endpoint>().expect_err(text);
        table += &format!("{text:26} {error}\n{:26} → {}\n", "", error.remedy());
    }
    insta::assert_snapshot!(table);
}

#[test]
fn endpoints_match_addresses_and_names() {
    let names = ["api.example.org".to_owned()];
    for (text, addr, port, proto, fits) in [
        ("10.0.0.0/8", "10.1.2.3", 1, Proto::Tcp, true),
        ("10.0.0.0/8:443", "10.1.2.3", 80, Proto::Tcp, false),
        ("10.0.0.0/8:443/tcp", "10.1.2.3", 443, Proto::Udp, false),
        ("2001:db8::/32", "2001:db8::1", 9, Proto::Udp, true),
        ("0.0.0.0/0", "2001:db8::1", 9, Proto::Udp, false),
        ("api.example.org:443", "192.0.2.7", 443, Proto::Tcp, true),
        ("*.example.org", "192.0.2.7", 443, Proto::Tcp, true),
        ("example.org", "192.0.2.7", 443, Proto::Tcp, false),
        ("*.api.example.org", "192.0.2.7", 443, Proto::Tcp, false),
        ("*.ample.org", "192.0.2.7", 443, Proto::Tcp, false),
        ("@any", "192.0.2.7", 443, Proto::Tcp, false),
    ] {
        let addr: IpAddr = addr.parse().unwrap();
        assert_eq!(
            endpoint(text).matches(addr, port, Some(proto), &names),
            fits,
            "{text} on {addr}:{port}"
        );
    }
}

#[test]
fn the_more_specific_goes_first() {
    let order = [
        "10.1.2.3:443/tcp",
        "10.1.2.3:443",
        "10.1.2.3:80,443",
        "10.1.2.3",
        "api.example.org:443",
        "*.example.org:443",
        "10.1.2.0/24:443",
        "10.1.0.0/16:443",
        "10.0.0.0/8",
    ];
    for pair in order.windows(2) {
        assert!(
            endpoint(pair[0]).specificity() > endpoint(pair[1]).specificity(),
            "{} over {}",
            pair[0],
            pair[1]
        );
    }
}

proptest! {
    #[test]
    fn reading_what_is_shown_gives_the_same(
        host in prop_oneof![
            any::<std::net::Ipv4Addr>().prop_map(|a| a.to_string()),
            any::<std::net::Ipv6Addr>().prop_map(|a| format!("[{a}]")),
            "[a-z]{1,9}(\\.[a-z]{2,5}){1,2}",
            "\\*\\.[a-z]{1,9}\\.[a-z]{2,5}",
        ],
        ports in prop::collection::vec(1..=u16::MAX, 0..4),
        proto in prop::sample::select(vec!["", "/tcp", "/udp"]),
    ) {
        let list: Vec<String> = ports.iter().map(ToString::to_string).collect();
        let colon = if list.is_empty() { "" } else { ":" };
        let read = endpoint(&format!("{host}{colon}{}{proto}", list.join(",")));
        prop_assert_eq!(&endpoint(&read.to_string()), &read);
        prop_assert!(read.covers(&read));
        for port in ports {
            prop_assert!(read.ports.contains(port));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,24}") {
        if let Err(error) = text.parse::<Endpoint>() {
            prop_assert!(!error.remedy().is_empty());
        }
    }
}
