//! One event of each kind with each verdict.

use crate::record::event::{ActRecord, EventRecord};
use crate::record::tests::sample;
use crate::scope::words::{Access, Kind, Response, Tier, When};

/// Every kind, called for and applied in every combination that there is, with every `when`.
pub(crate) fn all() -> Vec<EventRecord> {
    let mut events = Vec::new();
    for kind in Kind::ALL {
        for called_for in Response::ALL {
            for applied in Response::ALL.into_iter().filter(|applied| *applied <= called_for) {
                for when in [When::BeforeAct, When::BeforeUse, When::After] {
                    let n = events.len() as u64;
                    events.push(EventRecord {
                        act: act(kind, n),
                        ..with_verdict(sample::event(n), called_for, applied, when)
                    });
                }
            }
        }
    }
    events
}

fn with_verdict(mut event: EventRecord, called_for: Response, applied: Response, when: When) -> EventRecord {
    let n = event.id.len() as u64;
    let cut = called_for != Response::Allow;
    event.verdict.called_for = called_for;
    event.verdict.applied = applied;
    event.verdict.when = when;
    event.verdict.tier = Tier::Fanotify;
    event.verdict.rule = cut.then(|| "files.rule[0]".into());
    event.verdict.reason = cut.then(|| "credentials are off limits".into());
    event.verdict.grant = (n % 2 == 1).then(|| "g-1".into());
    event.weight = u32::from(cut) * 20;
    event.count = if called_for == Response::Flag { 7 } else { 1 };
    event
}

/// An act with everything that its kind has; every third one with as little as there can be.
fn act(kind: Kind, n: u64) -> ActRecord {
    let bare = ActRecord::new(kind);
    if n.is_multiple_of(3) && !matches!(kind, Kind::FileOpen) {
        return bare;
    }
    let word = kind.word();
    let path = |path: &str| Some(path.to_owned());
    if word.starts_with("file.") {
        ActRecord {
            path: path("/home/dev/.aws/credentials"),
            to: matches!(kind, Kind::FileRename | Kind::FileLink).then(|| "/tmp/x".into()),
            guarded_as: path("~/.aws/credentials"),
            access: vec![Access::Read, Access::Write],
            dev: path("8:1"),
            inode: Some(u64::MAX),
            ..bare
        }
    } else if word.starts_with("unix.") {
        ActRecord {
            path: path("/run/docker.sock"),
            ..bare
        }
    } else if word.starts_with("net.") || word.starts_with("dns.") {
        let six = n.is_multiple_of(2);
        ActRecord {
            address: Some(if six { "2001:db8::7" } else { "203.0.113.7" }.parse().unwrap()),
            port: Some(443),
            protocol: path(if six { "udp" } else { "tcp" }),
            name: path("evil.example.net"),
            ..bare
        }
    } else if kind == Kind::SocketCreate {
        ActRecord {
            family: path("packet"),
            protocol: path("raw"),
            ..bare
        }
    } else {
        ActRecord {
            path: path("/usr/bin/nc"),
            status: (kind == Kind::ProcessExit).then_some(137),
            ..bare
        }
    }
}
