//! Records against the schema, and the checker against records that break it.

mod checker;

use serde_json::json;

use crate::export::formats::ocsf::record;
use crate::export::formats::ocsf::tests::checker::Checker;
use crate::export::tests::corpus;
use crate::scope::words::Response;

#[test]
fn every_kind_with_every_verdict_is_a_valid_record() {
    let checker = Checker::new();
    let mut classes = std::collections::BTreeSet::new();
    let mut wrong = std::collections::BTreeMap::new();
    let events = corpus::all();
    assert!(events.len() > 1_000);
    for event in &events {
        for integrity in [false, true] {
            let mut record = record(event, integrity);
            if integrity {
                crate::export::chain::attest(&mut record, "chain", None);
            }
            for sentence in checker.check(&record) {
                wrong.entry(sentence).or_insert_with(|| record.clone());
            }
            classes.insert(record["class_uid"].as_u64().unwrap());
            assert_eq!(
                record["is_alert"],
                event.verdict.called_for != Response::Allow || event.act.kind.word() == "monitor.tamper"
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(
        classes.into_iter().collect::<Vec<_>>(),
        [1_001, 1_007, 2_004, 4_001, 4_003]
    );
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let checker = Checker::new();
    let good = record(&corpus::all()[0], false);
    assert_eq!(checker.check(&good), Vec::<String>::new());
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 9] = [
        ("no attribute", |record| record["colour"] = json!("red")),
        ("missing", |record| {
            drop(record.as_object_mut().unwrap().remove("time"));
        }),
        ("integer", |record| record["time"] = json!("now")),
        ("not one of", |record| record["severity_id"] = json!(42)),
        ("caption", |record| record["severity"] = json!("Harmless")),
        ("type_uid", |record| record["type_uid"] = json!(1)),
        ("profile", |record| {
            record["metadata"]["profiles"] = json!(["host"]);
        }),
        ("no attribute", |record| {
            record["actor"]["process"]["pidd"] = json!(1);
        }),
        ("at least one", |record| record["actor"] = json!({})),
    ];
    for (part, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        let wrong = checker.check(&bad).join("\n");
        assert!(wrong.contains(part), "{part}: {wrong:?}");
    }
}
