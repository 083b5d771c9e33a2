//! What doctor shows.

use jiff::tz::TimeZone;

use super::run::{SCHEMA, exit, show};
use crate::cli::{
    exit::Exit,
    render::output::{Look, Output},
};
use crate::observe::probe::{Fact, Held, Probe, State, acts};
use crate::scope::capability::Capabilities;

fn fact(what: &'static str, state: State, found: &str, change: Option<&str>) -> Fact {
    Fact {
        what,
        state,
        found: found.into(),
        change: change.map(Into::into),
    }
}

fn probe(holds: bool, privileged: bool) -> Probe {
    let held = Held {
        sessions: holds,
        opens: holds,
        programs: holds,
        io_uring: holds,
        network: holds,
        fanotify: holds,
        arrivals: holds,
        denies: None,
        changes: false,
    };
    let state = |there| if there { State::Ok } else { State::Missing };
    Probe {
        kernel: "6.18.0-test".into(),
        holds,
        privileged,
        facts: vec![
            fact("kernel", State::Ok, "6.18.0-test", None),
            fact("rights", state(privileged), "as the test says", None),
            fact("BTF", state(holds), "/sys/kernel/btf/vmlinux\x1b[2J", None),
            fact("fanotify", state(holds), "tried", None),
            fact(
                "tier lsm",
                State::Limited,
                "never runs",
                Some("boot parameter lsm=capability,landlock,bpf"),
            ),
        ],
        acts: if privileged { acts(held) } else { Vec::new() },
        capabilities: Capabilities::tracepoint(holds),
    }
}

fn shown(probe: &Probe, as_json: bool, width: Option<u16>) -> String {
    let mut out = Vec::new();
    let look = Look {
        width,
        colours: false,
        zone: TimeZone::UTC,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let service = [
        fact(
            "unit",
            State::Ok,
            "/usr/lib/systemd/system/scopeward.service, started at boot",
            None,
        ),
        fact(
            "group",
            State::Limited,
            "there is no group scopeward",
            Some("groupadd --system scopeward"),
        ),
    ];
    show(probe, &service, as_json, &mut Output::new(&mut out, look)).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_is_shown() {
    insta::assert_snapshot!("holds-100", shown(&probe(true, true), false, Some(100)));
    insta::assert_snapshot!("holds-pipe", shown(&probe(true, true), false, None));
    insta::assert_snapshot!("cannot-100", shown(&probe(false, true), false, Some(100)));
    insta::assert_snapshot!("not-root", shown(&probe(false, false), false, None));
    let json: serde_json::Value = serde_json::from_str(&shown(&probe(true, true), true, None)).unwrap();
    assert_eq!((&json["schema"], &json["holds"]), (&SCHEMA.into(), &true.into()));
    assert_eq!(json["acts"][0]["when"], "before_act");
    assert_eq!(json["facts"][4]["state"], "limited");
    assert_eq!(json["service"][1]["change"], "groupadd --system scopeward");
}

#[test]
fn exit_codes() {
    assert_eq!(exit(&probe(true, true)), Exit::Done);
    assert_eq!(exit(&probe(false, true)), Exit::Unsupported);
    assert_eq!(exit(&probe(false, false)), Exit::Privileges);
}
