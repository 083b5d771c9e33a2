//! The event that `scopeward export test` sends: marked as one, so that nobody takes it for an agent's act.

use jiff::Timestamp;

use crate::record::event::{
    ActRecord, EventRecord, Host, Owner, ProcessRef, SCHEMA, SessionRef, VerdictRecord,
};
use crate::scope::words::{Kind, Response, Tier, When};

/// The agent that a test event names.
pub const AGENT: &str = "scopeward-export-test";

/// A test event of this process on `host`.
#[must_use]
pub fn event(host: Host, now: Timestamp) -> EventRecord {
    let pid = std::process::id();
    EventRecord {
        schema: SCHEMA.to_owned(),
        id: ulid::Ulid::new().to_string(),
        time: now,
        host,
        session: SessionRef {
            id: "s-0000000000000000".to_owned(),
            agent: AGENT.to_owned(),
            root_pid: pid,
            agent_session: None,
            owner: Owner {
                uid: 0,
                name: Some("root".to_owned()),
                ..Owner::default()
            },
        },
        process: ProcessRef {
            pid,
            tid: pid,
            exe: Some("/usr/bin/scopeward".to_owned()),
            argv: vec!["scopeward".to_owned(), "export".to_owned(), "test".to_owned()],
            lineage: vec!["scopeward".to_owned()],
            ..ProcessRef::default()
        },
        act: ActRecord {
            path: Some("/scopeward/export/test".to_owned()),
            ..ActRecord::new(Kind::FileOpen)
        },
        verdict: VerdictRecord {
            called_for: Response::Flag,
            applied: Response::Flag,
            when: When::After,
            tier: Tier::Tracepoint,
            scope: AGENT.to_owned(),
            rule: None,
            reason: Some("a test event, sent by hand: no agent did anything".to_owned()),
            grant: None,
        },
        weight: 0,
        count: 1,
        generation: 0,
        chain: None,
    }
}
