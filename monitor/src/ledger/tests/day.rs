//! A busy day of one session: 100,000 acts, 300 cuts of 12 kinds.

use crate::{
    ledger::{book::Ledger, cut::Cut},
    record::{event::EventRecord, tests::sample},
    scope::{
        model::{Account, Budget},
        words::{Kind, Response, Step as Ladder},
    },
};

use super::steps::budget;

const ACTS: u64 = 100_000;
const CUTS: u64 = 300;
const KINDS: usize = 12;

/// The `n`th act: the same for everybody who asks.
fn act(n: u64) -> EventRecord {
    let mut event = sample::event(n * 10);
    event.time = sample::start() + jiff::SignedDuration::from_millis((n * 864) as i64);
    event.id = ulid::Ulid::from_parts(event.time.as_millisecond().unsigned_abs(), n.into()).to_string();
    if n % (ACTS / CUTS) == 7 && n / (ACTS / CUTS) < CUTS {
        let number = n / (ACTS / CUTS);
        // A generator with a period far beyond what is asked of it.
        let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^= state >> 29;
        event.act.kind = Kind::ALL[(number as usize) % KINDS];
        event.act.path = Some(format!("/home/dev/object-{}", state % 40));
        event.verdict.called_for = Response::ALL[1 + (state >> 8) as usize % 4];
        event.verdict.applied = Response::Flag;
        event.verdict.rule = Some(format!("files.rule[{}]", (state >> 16) % 9));
        event.weight = 1 + u32::try_from((state >> 24) % 20).unwrap();
    }
    event
}

fn budgets() -> Vec<Budget> {
    vec![
        budget(30, 3_600, Account::Session, Ladder::Flag),
        budget(60, 3_600, Account::Session, Ladder::Freeze),
        budget(400, 604_800, Account::Owner, Ladder::Flag),
    ]
}

fn replay() -> (String, u64, usize) {
    let mut ledger = Ledger::default();
    let (mut cuts, mut text, mut kinds) = (0, String::new(), Vec::new());
    for n in 0..ACTS {
        let Some(cut) = Cut::of(&act(n)) else { continue };
        cuts += 1;
        kinds.push(cut.kind);
        for step in ledger.take(&cut, &budgets()) {
            text += &format!("{} {step:?}\n", cut.event);
        }
    }
    for account in [Account::Session, Account::Agent, Account::Owner, Account::Host] {
        for tally in ledger.tallies(account, i64::MIN, &|_| true) {
            text += &serde_json::to_string(&tally).unwrap();
            text.push('\n');
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    (text, cuts, kinds.len())
}

#[test]
fn a_recorded_day_comes_out_the_same_twice() {
    let (text, cuts, kinds) = replay();
    assert_eq!((cuts, kinds), (CUTS, KINDS));
    assert!(text.lines().count() >= 7, "{} lines", text.lines().count());
    assert_eq!((text, cuts, kinds), replay());
}

/// A minute of 5,000 cuts a second in well under half a minute: measured by hand with `--release --ignored`.
#[test]
#[ignore = "measures"]
fn five_thousand_cuts_a_second_for_a_minute() {
    let began = std::time::Instant::now();
    let mut ledger = Ledger::default();
    let all = 5_000 * 60_u64;
    for n in 0..all {
        let mut event = sample::event(n * 10 + 9);
        event.time = sample::start() + jiff::SignedDuration::from_micros((n * 200) as i64);
        event.act.path = Some(format!("/home/dev/object-{}", n % 20_000));
        event.session.id = format!("s-{}", n % 40);
        let cut = Cut::of(&event).unwrap();
        ledger.take(&cut, &budgets());
    }
    let took = began.elapsed();
    let tallies = ledger.tallies(Account::Host, i64::MIN, &|_| true);
    println!(
        "{all} cuts in {took:?}: {:.1} % of one core",
        took.as_secs_f64() / 60.0 * 100.0
    );
    assert_eq!(tallies[0].cuts, all);
    assert!(took.as_secs() < 30, "{took:?}");
}
