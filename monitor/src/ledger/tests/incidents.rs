//! From the first cut to containment.

use crate::{
    ledger::incidents::Incidents,
    record::{
        event::{ActRecord, EventRecord},
        tests::sample,
    },
    scope::words::{Access, Kind, Response},
};

fn at(milliseconds: i64) -> jiff::Timestamp {
    sample::start() + jiff::SignedDuration::from_millis(milliseconds)
}

fn event(milliseconds: i64, response: Response, rule: &str) -> EventRecord {
    let mut event = sample::event(0);
    event.id = format!("e{milliseconds}");
    event.time = at(milliseconds);
    event.verdict.called_for = response;
    event.verdict.applied = response;
    event.verdict.rule = Some(rule.into());
    event.weight = 3;
    event
}

fn read(milliseconds: i64) -> EventRecord {
    let mut event = event(milliseconds, Response::Flag, "files.rule[0]");
    event.act = ActRecord {
        path: Some("/home/dev/token".into()),
        access: vec![Access::Read],
        ..ActRecord::new(Kind::FileOpen)
    };
    event
}

fn reached(milliseconds: i64, port: u16) -> EventRecord {
    let mut event = event(milliseconds, Response::Allow, "network.allow[0]");
    event.act = ActRecord {
        address: Some("203.0.113.7".parse().unwrap()),
        port: Some(port),
        ..ActRecord::new(Kind::NetConnect)
    };
    event
}

fn all(events: &[EventRecord]) -> Incidents {
    let mut incidents = Incidents::default();
    for event in events {
        incidents.take(event, Some("tokens"));
    }
    incidents
}

#[test]
fn times_are_measured_from_the_first_cut() {
    let incidents = all(&[
        reached(0, 22),
        read(100),
        reached(150, 443),
        event(300, Response::Deny, "network.default"),
        event(900, Response::Freeze, "budget[0]"),
    ]);
    let [incident] = incidents.all()[..] else {
        panic!("one incident")
    };
    assert_eq!(
        (incident.to_detect(), incident.to_contain()),
        (Some(200), Some(800))
    );
    assert_eq!(incident.closed(), Some(at(900)));
    assert_eq!((incident.cuts, incident.weight), (2, 6), "the answer is no cut");
    assert_eq!(incident.credentials[0].path, "/home/dev/token");
    let endpoints: Vec<_> = incident
        .endpoints
        .iter()
        .map(|reached| (reached.endpoint.as_str(), reached.before))
        .collect();
    assert_eq!(endpoints, [("203.0.113.7:22", true), ("203.0.113.7:443", false)]);
    assert_eq!(incident.bytes_out, None, "nobody counted them");
}

#[test]
fn the_end_of_a_process_contains_until_the_next_cut() {
    let killed = [read(0), event(10, Response::Kill, "files.rule[1]")];
    assert_eq!(all(&killed).all()[0].to_contain(), Some(10));
    let goes_on = [read(0), event(10, Response::Kill, "files.rule[1]"), read(50)];
    assert_eq!(all(&goes_on).all()[0].to_contain(), None);
    // What was on its way when the whole session was stopped does not open it again.
    let stopped = [read(0), event(10, Response::Kill, "budget[1]"), read(12)];
    assert_eq!(all(&stopped).all()[0].to_contain(), Some(12));
}

#[test]
fn a_thaw_or_an_end_closes_and_the_next_cut_is_another() {
    let mut incidents = all(&[read(0), event(10, Response::Freeze, "files.rule[1]")]);
    let session = sample::event(0).session.id;
    incidents.thawed(&session, at(5_000));
    incidents.take(&read(6_000), None);
    incidents.ended(&session, at(7_000));
    let [first, second] = incidents.all()[..] else {
        panic!("two incidents")
    };
    assert_eq!(
        first.closed(),
        Some(at(10)),
        "the window ends with the containment"
    );
    assert_eq!(
        (second.began, second.to_contain(), second.closed()),
        (at(6_000), None, Some(at(7_000)))
    );
    assert!(
        second.credentials.is_empty(),
        "of no class that has to be rotated"
    );
    // By hand.
    let mut incidents = all(&[read(0)]);
    incidents.contained(&session, Response::Kill, at(70), "a person said so");
    assert_eq!(incidents.all()[0].to_contain(), Some(70));
}

#[test]
fn what_is_kept_goes_on_where_its_session_does() {
    let kept: Vec<_> = all(&[read(0)]).all().into_iter().cloned().collect();
    let mut again = Incidents::default();
    again.restore(kept.clone(), &|_| true);
    again.take(&read(100), None);
    assert_eq!((again.all().len(), again.all()[0].cuts), (1, 2));
    let mut gone = Incidents::default();
    gone.restore(kept, &|_| false);
    assert_eq!(gone.all()[0].closed(), Some(at(0)));
}
