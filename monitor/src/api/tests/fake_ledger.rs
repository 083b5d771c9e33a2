//! What the made-up pipeline says of cuts, incidents and credentials.

use crate::api::control::ControlError;
use crate::api::peer::Peer;
use crate::api::report::{REPORT_SCHEMA, Report};
use crate::api::types::{CutsBy, Decision, Rotated, Rotation, Tally, Tree};
use crate::ledger::{
    book::Ledger,
    cut::{Cut, nanoseconds},
    incidents::Incidents,
    rotation::Rotations,
};
use crate::record::event::EventRecord;
use crate::record::tests::sample;
use crate::scope::model::{Account, Budget};
use crate::scope::words::{Response, Step};

pub(super) fn cuts(events: &[EventRecord], by: CutsBy, only: Option<u32>) -> Vec<Tally> {
    let mut ledger = Ledger::default();
    let budget = Budget {
        weight: 10,
        within: std::time::Duration::from_secs(300),
        account: Account::Session,
        response: Step::Freeze,
    };
    for event in events {
        if let Some(cut) = Cut::of(event) {
            ledger.take(&cut, std::slice::from_ref(&budget));
        }
    }
    let now = nanoseconds(sample::start());
    let wanted = |_: &str| only.is_none();
    match by {
        CutsBy::Rule => ledger.by_rule(now, &wanted),
        CutsBy::Session => ledger.tallies(Account::Session, now, &wanted),
        CutsBy::Agent => ledger.tallies(Account::Agent, now, &wanted),
        CutsBy::Owner => ledger.tallies(Account::Owner, now, &wanted),
        CutsBy::Host => ledger.tallies(Account::Host, now, &wanted),
    }
}

pub(super) fn rotate(name: &str, note: &str, peer: &Peer) -> Result<Rotation, ControlError> {
    let by = Rotated {
        by: "root".into(),
        uid: peer.uid,
        time: sample::start(),
        note: note.into(),
    };
    book().1.rotate(name, by).ok_or(ControlError::NotFound {
        what: "credential that waits to be rotated",
        id: name.into(),
    })
}

/// A session that reads a credential, is refused an endpoint and then frozen; and what follows from it.
pub(super) fn book() -> (Incidents, Rotations) {
    let (mut incidents, mut rotations) = (Incidents::default(), Rotations::default());
    let mut read = sample::event(8);
    read.act.path = Some("/home/dev/.aws/credentials".into());
    read.verdict.called_for = Response::Flag;
    read.verdict.applied = Response::Flag;
    read.verdict.rule = Some("files.rule[0]".into());
    read.weight = 20;
    let mut reached = sample::event(9);
    reached.session = read.session.clone();
    reached.verdict.called_for = Response::Allow;
    reached.verdict.applied = Response::Allow;
    let mut frozen = sample::event(19);
    frozen.session = read.session.clone();
    frozen.verdict.called_for = Response::Freeze;
    frozen.verdict.applied = Response::Freeze;
    for (event, class) in [(&read, Some("aws")), (&reached, None), (&frozen, None)] {
        if let Some(read) = incidents.take(event, class) {
            rotations.take(&event.session, &event.host.name, &read);
        }
    }
    rotations.reached(&read.session.id, "evil.example.net:443");
    incidents.take(&sample::event(29), None);
    (incidents, rotations)
}

/// The report of a session whose events are all of them.
pub(super) fn report(tree: &Tree, events: &[EventRecord]) -> Report {
    let (incidents, rotations) = book();
    let mut events = events.to_vec();
    events.retain(|event| event.verdict.called_for > Response::Allow);
    for event in &mut events {
        event.session.id.clone_from(&tree.session.id);
    }
    Report {
        schema: REPORT_SCHEMA.into(),
        made: sample::event(3_000).time,
        version: "0.1.0".into(),
        host: "agent-7".into(),
        id: tree.session.id.clone(),
        agent: tree.session.agent.clone(),
        owner: tree.session.owner.clone(),
        session: Some(tree.session.clone()),
        roots: tree.roots.clone(),
        incidents: incidents.all().into_iter().cloned().collect(),
        tally: cuts(&events, CutsBy::Session, None).pop(),
        events,
        left_out: 0,
        rotations: rotations.all().to_vec(),
        decisions: vec![Decision {
            time: sample::event(2_000).time,
            session: tree.session.id.clone(),
            what: "thaw".into(),
            by: "eve".into(),
            uid: 1_001,
            reason: "<script>alert(1)</script> \u{202e}".into(),
        }],
    }
}
