//! Events as an agent makes them.

use jiff::{Span, Timestamp};

use crate::record::event::{
    ActRecord, EventRecord, Host, Owner, ProcessRef, SCHEMA, SessionRef, VerdictRecord,
};
use crate::scope::words::{Access, Kind, Response, Tier, When};

/// The time of the first event.
pub(crate) fn start() -> Timestamp {
    "2026-11-22T06:00:00.123456789Z".parse().unwrap()
}

/// The `n`th event, `n` milliseconds after the first: reads of many files by few processes, every tenth one an
/// attempt to connect that is refused.
pub(crate) fn event(n: u64) -> EventRecord {
    let time = start().checked_add(Span::new().milliseconds(n as i64)).unwrap();
    let millis = u64::try_from(time.as_millisecond()).unwrap();
    let pid = 4_200 + u32::try_from(n / 10).unwrap();
    let cut = n % 10 == 9;
    let act = if cut {
        ActRecord {
            address: Some("203.0.113.7".parse().unwrap()),
            port: Some(443),
            protocol: Some("tcp".into()),
            name: n.is_multiple_of(2).then(|| "evil.example.net".into()),
            ..ActRecord::new(Kind::NetConnect)
        }
    } else {
        ActRecord {
            path: Some(format!("/home/dev/src/project/module-{}/file-{n}.rs", n / 50)),
            access: vec![Access::Read],
            dev: Some("8:1".into()),
            inode: Some(100_000 + n * 7),
            ..ActRecord::new(Kind::FileOpen)
        }
    };
    let response = if cut { Response::Deny } else { Response::Allow };
    EventRecord {
        schema: SCHEMA.into(),
        id: ulid::Ulid::from_parts(millis, u128::from(n)).to_string(),
        time,
        host: Host {
            name: "agent-7".into(),
            boot_id: "8d1c2f0a-7f1e-4c55-8d59-1f2a1f0a9a10".into(),
            machine_id: Some("0123456789abcdef0123456789abcdef".into()),
        },
        session: SessionRef {
            id: format!("s-{:016x}", n % 2),
            agent: if n.is_multiple_of(2) {
                "claude-code"
            } else {
                "codex"
            }
            .into(),
            root_pid: 4_121,
            agent_session: Some("0f6d2c5e-3a57-4b7e-9d0e-5e1f1d1f4c11".into()),
            owner: Owner {
                uid: 1_000 + u32::try_from(n % 2).unwrap(),
                name: Some(if n.is_multiple_of(2) { "dev" } else { "eve" }.into()),
                login_session: Some(3),
                tty: Some("pts/0".into()),
            },
        },
        process: ProcessRef {
            pid,
            tid: pid,
            ppid: 4_200,
            started: Some(start()),
            exe: Some("/usr/bin/cargo".into()),
            script: None,
            argv: vec![
                "cargo".into(),
                "check".into(),
                "--package".into(),
                format!("member-{}", n / 10 % 20),
            ],
            cwd: Some("/home/dev/src/project".into()),
            uid: 1_000,
            lineage: vec!["claude".into(), "bash".into(), "cargo".into()],
        },
        act,
        verdict: VerdictRecord {
            called_for: response,
            applied: response,
            when: When::BeforeAct,
            tier: if cut { Tier::Cgroup } else { Tier::Tracepoint },
            scope: "claude-code".into(),
            rule: cut.then(|| "network.default".into()),
            reason: cut.then(|| "not in the scope".into()),
            grant: None,
        },
        weight: u32::from(cut),
        count: 1,
        generation: 7,
        chain: None,
    }
}

/// An event as it was before it was stored.
pub(crate) fn plain(mut event: EventRecord) -> EventRecord {
    event.chain = None;
    event
}
