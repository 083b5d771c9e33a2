//! Which budget is used up by which cut.

use std::time::Duration;

use crate::{
    ledger::{account::OBJECTS_MAX, book::Ledger, cut::Cut},
    scope::{
        model::{Account, Budget},
        words::{Kind, Step as Ladder},
    },
};

pub(super) const SECOND: i64 = 1_000_000_000;

pub(super) fn cut(n: u32, time: i64, object: &str, kind: Kind, weight: u32) -> Cut {
    Cut {
        event: format!("e{n:05}").into(),
        time,
        session: "s-1".into(),
        agent: "claude".into(),
        owner: "dev".into(),
        host: "agent-7".into(),
        rule: format!("{}-rule", kind.word()).into(),
        object: object.into(),
        kind,
        weight,
        count: 1,
    }
}

pub(super) fn budget(weight: u32, seconds: u64, account: Account, response: Ladder) -> Budget {
    Budget {
        weight,
        within: Duration::from_secs(seconds),
        account,
        response,
    }
}

#[test]
fn a_retry_loop_counts_twice() {
    let mut ledger = Ledger::default();
    let budgets = [budget(10, 300, Account::Session, Ladder::Freeze)];
    for n in 0..1_000 {
        let mut one = cut(
            n,
            i64::from(n) * SECOND / 100,
            "/home/dev/.netrc",
            Kind::FileOpen,
            4,
        );
        one.count = 7;
        assert_eq!(ledger.take(&one, &budgets), []);
    }
    let tallies = ledger.tallies(Account::Session, 10 * SECOND, &|_| true);
    assert_eq!(
        (tallies[0].weight, tallies[0].sum, tallies[0].cuts),
        (8, 8.0, 7_000)
    );
}

#[test]
fn the_tenth_of_different_cuts_uses_it_up() {
    let mut ledger = Ledger::default();
    let budgets = [budget(10, 300, Account::Session, Ladder::Freeze)];
    for n in 0..9 {
        assert_eq!(
            ledger.take(&cut(n, 0, &format!("/f{n}"), Kind::FileOpen, 1), &budgets),
            []
        );
    }
    let steps = ledger.take(&cut(9, 0, "/f9", Kind::FileOpen, 1), &budgets);
    assert_eq!(steps.len(), 1);
    assert_eq!((steps[0].because.len(), steps[0].more), (8, 2));
    // It is frozen: once is enough. A person lets it go on: the next cut is one too many again.
    assert_eq!(ledger.take(&cut(10, 0, "/f10", Kind::FileOpen, 1), &budgets), []);
    ledger.thawed("s-1");
    assert_eq!(ledger.take(&cut(11, 0, "/f10", Kind::FileOpen, 0), &budgets), []);
    assert_eq!(
        ledger
            .take(&cut(12, 0, "/f12", Kind::FileOpen, 1), &budgets)
            .len(),
        1
    );
    // Five minutes later nothing of it is left.
    assert_eq!(
        ledger.take(&cut(13, 300 * SECOND, "/f13", Kind::FileOpen, 9), &budgets),
        []
    );
}

#[test]
fn a_session_is_tightened_once_and_again_after_a_thaw() {
    let mut ledger = Ledger::default();
    let budgets = [
        budget(2, 300, Account::Session, Ladder::Tighten),
        budget(4, 300, Account::Session, Ladder::Freeze),
    ];
    let mut steps = Vec::new();
    for n in 0..5 {
        let one = cut(n, 0, &format!("/{n}"), Kind::FileOpen, 1);
        steps.extend(
            ledger
                .take(&one, &budgets)
                .into_iter()
                .map(|step| (n, step.budget.response)),
        );
    }
    assert_eq!(steps, [(1, Ladder::Tighten), (3, Ladder::Freeze)]);
    ledger.thawed("s-1");
    let again = ledger.take(&cut(9, 0, "/9", Kind::FileOpen, 1), &budgets);
    let again: Vec<Ladder> = again.iter().map(|step| step.budget.response).collect();
    assert_eq!(again, [Ladder::Tighten, Ladder::Freeze]);
}

#[test]
fn kinds_multiply() {
    let mut ledger = Ledger::default();
    let budgets = [budget(10, 300, Account::Session, Ladder::Kill)];
    // Four and four are eight; of two kinds they are ten.
    assert_eq!(ledger.take(&cut(0, 0, "/a", Kind::FileOpen, 4), &budgets), []);
    let steps = ledger.take(&cut(1, 0, "192.0.2.1:443", Kind::NetConnect, 4), &budgets);
    assert_eq!(steps.len(), 1);
    assert_eq!((steps[0].sum.weight, steps[0].sum.percent()), (8, 125));
}

#[test]
fn forty_sessions_of_one_person_add_up() {
    let mut ledger = Ledger::default();
    let budgets = [
        budget(40, 300, Account::Session, Ladder::Freeze),
        budget(40, 604_800, Account::Owner, Ladder::Flag),
    ];
    for n in 0..20_u32 {
        let mut one = cut(
            n,
            i64::from(n) * 3_600 * SECOND,
            &format!("/f{n}"),
            Kind::FileOpen,
            2,
        );
        one.session = format!("s-{n}").into();
        let steps = ledger.take(&one, &budgets);
        assert_eq!(steps.len(), usize::from(n == 19), "session {n}");
        assert!(steps.iter().all(|step| &*step.name == "dev" && step.number == 1));
    }
    // Told once.
    assert_eq!(
        ledger.take(&cut(99, 80_000 * SECOND, "/g", Kind::FileOpen, 2), &budgets),
        []
    );
}

#[test]
fn only_steps_that_the_scope_named_the_weakest_first() {
    let mut ledger = Ledger::default();
    let budgets = [
        budget(5, 60, Account::Session, Ladder::Kill),
        budget(5, 60, Account::Session, Ladder::Flag),
    ];
    let steps = ledger.take(&cut(0, 0, "/a", Kind::FileOpen, 5), &budgets);
    let answers: Vec<Ladder> = steps.iter().map(|step| step.budget.response).collect();
    assert_eq!(answers, [Ladder::Flag, Ladder::Kill]);
    assert_eq!(ledger.take(&cut(1, 0, "/b", Kind::FileOpen, 500), &[]), []);
}

#[test]
fn objects_without_end_take_no_memory_without_end() {
    let mut ledger = Ledger::default();
    let more = 100;
    let all = u32::try_from(OBJECTS_MAX).unwrap() + more;
    for n in 0..all {
        ledger.take(&cut(n, 0, &format!("/f{n}"), Kind::FileOpen, 1), &[]);
    }
    let tallies = ledger.tallies(Account::Host, 0, &|_| true);
    assert_eq!(tallies[0].others, u64::from(more));
    assert_eq!(tallies[0].lines.len(), OBJECTS_MAX + 1);
    assert_eq!(tallies[0].cuts, u64::from(all));
    ledger.forget(8 * 86_400 * SECOND);
    assert_eq!(ledger.tallies(Account::Host, 0, &|_| true), []);
}
