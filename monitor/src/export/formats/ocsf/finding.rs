//! A cut: a Detection Finding.

use serde_json::{Map, Value, json};

use crate::export::formats::ocsf::activity::{Class, DNS, FINDING, NETWORK, activity, things};
use crate::export::formats::ocsf::objects::{actor, ai_agent, object};
use crate::export::formats::{techniques, words};
use crate::record::event::EventRecord;

/// The fields that a finding has beside those of every record.
#[must_use]
pub fn fields(event: &EventRecord) -> (Class, Map<String, Value>) {
    let verdict = &event.verdict;
    let (class, _, _) = activity(event.act.kind);
    let mut evidence = things(event, class);
    // What evidences have no attribute for; it stands in `unmapped`.
    let second = evidence.remove("file_result");
    for name in ["exit_code", "launch_type_id", "launch_type", "answers"] {
        evidence.remove(name);
    }
    if class != NETWORK && class != DNS {
        evidence.remove("connection_info");
    }
    evidence.insert("name".to_owned(), json!(event.act.kind.word()));
    evidence.insert("uid".to_owned(), json!(event.id));
    evidence.insert("actor".to_owned(), actor(event));
    evidence.insert("ai_agent".to_owned(), ai_agent(event));
    let mut evidences = vec![Value::Object(evidence)];
    evidences.extend(second.map(|file| json!({"name": "to", "file": file})));
    let rule = verdict.rule.as_deref().unwrap_or("default");
    let info = object(json!({
        "uid": event.id,
        "title": words::title(event),
        "desc": verdict.reason,
        "created_time": event.time.as_millisecond(),
        "types": [event.act.kind.word()],
        "product": {"name": "Scopeward", "vendor_name": "Scopeward"},
        "analytic": {
            "name": format!("{}: {rule}", verdict.scope),
            "uid": format!("{}/{rule}", verdict.scope),
            "type_id": 1,
            "type": "Rule",
            "version": event.generation.to_string(),
        },
        "attacks": techniques::attacks(event.act.kind),
    }));
    let fields = object(json!({
        "activity_id": 1,
        "activity_name": "Create",
        "finding_info": info,
        "evidences": evidences,
        "actor": actor(event),
    }));
    match fields {
        Value::Object(fields) => (FINDING, fields),
        _ => (FINDING, Map::new()),
    }
}
