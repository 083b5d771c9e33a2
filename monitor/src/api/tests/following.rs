use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::fake::serve;
use crate::api::client::LineStream;
use crate::api::types::MissedLine;
use crate::record::event::EventRecord;
use crate::record::tests::sample;

async fn next(lines: &mut LineStream) -> EventRecord {
    let line = timeout(Duration::from_secs(10), lines.next())
        .await
        .expect("in time")
        .unwrap()
        .unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// The event that is recorded now.
fn now(n: u64) -> EventRecord {
    let time = jiff::Timestamp::now();
    EventRecord {
        time,
        id: ulid::Ulid::from_parts(u64::try_from(time.as_millisecond()).unwrap(), n.into()).to_string(),
        ..sample::event(n)
    }
}

#[tokio::test]
async fn each_event_goes_out_at_once() {
    let served = serve();
    let mut lines = served
        .client
        .lines("/v1/events?follow=true&verdict=deny")
        .await
        .unwrap();
    // Everything that is stored was recorded before: only what comes now is sent.
    let mut latencies = Vec::new();
    for n in 0..50 {
        let event = now(n * 10 + 9);
        served.fake.record(now(n * 10));
        let start = Instant::now();
        served.fake.record(event.clone());
        assert_eq!(next(&mut lines).await, event);
        latencies.push(start.elapsed());
    }
    latencies.sort();
    assert!(
        latencies[25] < Duration::from_millis(20),
        "median {:?}",
        latencies[25]
    );
}

#[tokio::test]
async fn since_begins_with_what_is_stored_and_sends_nothing_twice() {
    let served = serve();
    let mut lines = served
        .client
        .lines("/v1/events?follow=true&since=2026-11-22T06:00:00Z")
        .await
        .unwrap();
    for n in 0..30 {
        assert_eq!(next(&mut lines).await, sample::event(n));
    }
    // Told again by the pipeline, as where recording and asking cross.
    served
        .fake
        .live
        .send(std::sync::Arc::new(sample::event(29)))
        .unwrap();
    let event = now(30);
    served.fake.record(event.clone());
    assert_eq!(next(&mut lines).await, event);
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_caught_up_from_the_store() {
    let served = serve();
    let mut lines = served.client.lines("/v1/events?follow=true").await.unwrap();
    served.fake.record(now(100));
    assert_eq!(next(&mut lines).await.process.pid, sample::event(100).process.pid);
    // More than the channel holds, with no chance to read in between.
    let burst: Vec<_> = (0..5_000).map(|n| now(1_000 + n)).collect();
    burst.iter().cloned().for_each(|event| served.fake.record(event));
    let mut ids = std::collections::HashSet::new();
    for _ in 0..burst.len() {
        assert!(ids.insert(next(&mut lines).await.id), "nothing twice");
    }
    assert!(
        burst.iter().all(|event| ids.contains(&event.id)),
        "nothing missing"
    );
}

#[tokio::test]
async fn what_is_in_neither_is_counted() {
    let served = serve();
    let mut lines = served.client.lines("/v1/events?follow=true").await.unwrap();
    served.fake.record(now(1));
    next(&mut lines).await;
    for n in 0..1_000 {
        // Not stored: the disk refuses.
        served
            .fake
            .live
            .send(std::sync::Arc::new(now(1_000 + n)))
            .unwrap();
    }
    let (mut seen, mut missed) = (0, 0);
    while seen + missed < 1_000 {
        let line = timeout(Duration::from_secs(10), lines.next())
            .await
            .expect("in time")
            .unwrap()
            .unwrap();
        match serde_json::from_str::<MissedLine>(&line) {
            Ok(line) => missed += line.missed,
            Err(_) => seen += 1,
        }
    }
    assert!(missed > 0 && seen + missed == 1_000, "{seen} {missed}");
}
