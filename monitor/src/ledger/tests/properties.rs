//! What must hold for every set of cuts.

use proptest::prelude::*;

use super::steps::{SECOND, budget, cut};
use crate::{
    ledger::{
        account::AccountKey,
        book::Ledger,
        cut::Cut,
        repeats::AT_MOST,
        window::{EACH_KIND, KINDS_MAX, Sum},
    },
    record::tests::sample,
    scope::{
        model::{Account, Budget},
        words::{Kind, Step as Ladder},
    },
};

const WITHIN: i64 = 300 * SECOND;

fn cuts() -> impl Strategy<Value = Vec<Cut>> {
    let one = (0..600_i64, 0..12_u8, 0..6_usize, 0..30_u32, 1..5_u64);
    proptest::collection::vec(one, 1..80).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(n, (time, object, kind, weight, count))| {
                let mut one = cut(
                    u32::try_from(n).unwrap(),
                    time / 4 * 4 * SECOND,
                    &format!("/f{object}"),
                    Kind::ALL[kind * 3],
                    weight,
                );
                one.session = format!("s-{}", n % 3).into();
                one.count = count;
                one
            })
            .collect()
    })
}

fn budgets() -> Vec<Budget> {
    vec![
        budget(60, 300, Account::Session, Ladder::Flag),
        budget(200, 300, Account::Owner, Ladder::Freeze),
        budget(500, 604_800, Account::Host, Ladder::Kill),
    ]
}

fn host() -> AccountKey {
    AccountKey {
        account: Account::Host,
        name: "agent-7".into(),
    }
}

fn everything(ledger: &mut Ledger) -> String {
    let all: Vec<_> = [Account::Session, Account::Agent, Account::Owner, Account::Host]
        .into_iter()
        .flat_map(|account| ledger.tallies(account, i64::MIN, &|_| true))
        .collect();
    serde_json::to_string(&all).unwrap()
}

/// The sum from its definition, without windows that are kept up to date.
fn defined(cuts: &[Cut], at: i64) -> Sum {
    let held = |one: &&Cut| at - one.time < WITHIN;
    let mut groups: Vec<(&str, &str)> = cuts.iter().map(|one| (&*one.rule, &*one.object)).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut weight = 0;
    for (rule, object) in groups {
        let of = cuts
            .iter()
            .filter(held)
            .filter(|one| (&*one.rule, &*one.object) == (rule, object));
        let mut weights: Vec<u64> = of
            .flat_map(|one| std::iter::repeat_n(u64::from(one.weight), one.count.min(2) as usize))
            .collect();
        weights.sort_unstable();
        weight += weights.iter().rev().take(AT_MOST).sum::<u64>();
    }
    let mut kinds: Vec<Kind> = cuts.iter().filter(held).map(|one| one.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Sum {
        weight,
        kinds: u32::try_from(kinds.len()).unwrap(),
    }
}

proptest! {
    /// Any order of the same cuts, not only of those with equal times, leads to the same ledger.
    #[test]
    fn order_does_not_matter((cuts, shuffled) in cuts().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))) {
        let (mut one, mut other) = (Ledger::default(), Ledger::default());
        for cut in &cuts { one.take(cut, &budgets()); }
        for cut in &shuffled { other.take(cut, &budgets()); }
        prop_assert_eq!(everything(&mut one), everything(&mut other));
    }

    /// In the order of time, with equal times in any order, the same budgets are used up.
    #[test]
    fn equal_times_use_up_the_same_budgets(mut cuts in cuts(), seed in any::<u64>()) {
        let steps = |cuts: &[Cut]| {
            let mut ledger = Ledger::default();
            let mut used: Vec<(usize, i64, String)> = Vec::new();
            for cut in cuts {
                for step in ledger.take(cut, &budgets()[..1]) { used.push((step.number, cut.time, step.name.to_string())); }
            }
            used.sort();
            used
        };
        cuts.sort_by_key(|cut| cut.time);
        let forward = steps(&cuts);
        cuts.sort_by_key(|cut| (cut.time, cut.object.len() as u64 ^ seed.rotate_left(cut.event.as_bytes()[5].into())));
        prop_assert_eq!(forward, steps(&cuts));
    }

    #[test]
    fn the_sum_is_what_its_definition_says(cuts in cuts()) {
        let mut ledger = Ledger::default();
        let mut at = i64::MIN;
        for (n, cut) in cuts.iter().enumerate() {
            at = at.max(cut.time);
            ledger.take(cut, &[]);
            prop_assert_eq!(ledger.sum(&host(), WITHIN, at), defined(&cuts[..=n], at));
        }
    }

    #[test]
    fn time_alone_only_lowers(cuts in cuts()) {
        let mut ledger = Ledger::default();
        for cut in &cuts { ledger.take(cut, &[]); }
        let mut before = ledger.sum(&host(), WITHIN, 0);
        for second in (0..1_000).step_by(7) {
            let now = ledger.sum(&host(), WITHIN, second * SECOND);
            prop_assert!(now.weight <= before.weight && now.kinds <= before.kinds);
            before = now;
        }
        prop_assert_eq!(before, Sum::default());
    }

    #[test]
    fn a_cut_never_lowers_and_a_clean_act_is_none(cuts in cuts()) {
        let mut ledger = Ledger::default();
        for (n, cut) in cuts.iter().enumerate() {
            let before = ledger.sum(&host(), WITHIN, cut.time);
            // Every tenth sample is a cut; the others are inside the scope.
            let clean = sample::event(n as u64 * 10);
            prop_assert_eq!(Cut::of(&clean), None);
            ledger.take(cut, &[]);
            let after = ledger.sum(&host(), WITHIN, cut.time);
            prop_assert!(after.weight >= before.weight && after.kinds >= before.kinds);
        }
    }

    #[test]
    fn caps_hold(cuts in cuts()) {
        let mut ledger = Ledger::default();
        for cut in &cuts { ledger.take(cut, &budgets()); }
        for tally in ledger.tallies(Account::Host, i64::MIN, &|_| true) {
            for line in &tally.lines { prop_assert!(line.counts <= u64::from(line.weight) * AT_MOST as u64); }
            prop_assert!(tally.percent <= 100 + KINDS_MAX && (tally.percent - 100).is_multiple_of(EACH_KIND));
        }
    }
}
