//! One record, of whichever class.

use serde_json::{Map, Value, json};

use crate::export::formats::ocsf::{activity, control, finding, objects};
use crate::export::formats::words;
use crate::record::event::EventRecord;
use crate::scope::words::{Kind, Response};

/// The version of the schema.
pub const VERSION: &str = "1.9.0-dev";

/// `event` as an OCSF record; `integrity` says that an attestation will be put in.
#[must_use]
pub fn record(event: &EventRecord, integrity: bool) -> Value {
    let cut = event.verdict.called_for != Response::Allow || event.act.kind == Kind::MonitorTamper;
    let (class, mut fields) = if cut {
        finding::fields(event)
    } else {
        activity::fields(event)
    };
    let activity_id = fields
        .get("activity_id")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    put("class_uid", json!(class.uid));
    put("class_name", json!(class.caption));
    put("category_uid", json!(class.category));
    put("category_name", json!(class.category_caption));
    put("type_uid", json!(class.uid * 100 + activity_id));
    put("time", json!(event.time.as_millisecond()));
    put("message", json!(words::sentence(event)));
    put("device", objects::device(event));
    if event.count > 1 {
        put("count", json!(event.count));
        put("start_time", json!(event.time.as_millisecond()));
        put("end_time", json!(event.time.as_millisecond()));
    }
    put("metadata", metadata(event, cut, integrity));
    put("unmapped", json!({"scopeward": unmapped(event)}));
    control::put(event, cut, &mut fields);
    Value::Object(fields)
}

fn metadata(event: &EventRecord, cut: bool, integrity: bool) -> Value {
    let mut profiles = vec!["host", "security_control"];
    if !cut {
        profiles.push("ai_operation");
    }
    if integrity {
        profiles.push("record_integrity");
    }
    json!({
        "version": VERSION,
        "uid": event.id,
        "event_code": event.act.kind.word(),
        "correlation_uid": event.session.id,
        "log_name": event.schema,
        "original_time": event.time.to_string(),
        "profiles": profiles,
        "product": {
            "name": "Scopeward",
            "vendor_name": "Scopeward",
            "version": env!("CARGO_PKG_VERSION"),
        },
    })
}

/// What no attribute of the schema holds.
fn unmapped(event: &EventRecord) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            fields.insert(name.to_owned(), value);
        }
    };
    let (act, verdict) = (&event.act, &event.verdict);
    put("called_for", json!(verdict.called_for));
    put("applied", json!(verdict.applied));
    put("when", json!(verdict.when));
    put("tier", json!(verdict.tier));
    put("rule", json!(verdict.rule));
    put("grant", json!(verdict.grant));
    put("weight", json!(event.weight));
    put("generation", json!(event.generation));
    put("agent_session", json!(event.session.agent_session));
    put("root_pid", json!(event.session.root_pid));
    put("lineage", json!(event.process.lineage));
    put("script", json!(event.process.script));
    put("guarded_as", json!(act.guarded_as));
    put("borrowed", json!(act.borrowed));
    put("access", json!(act.access));
    put("dev", json!(act.dev));
    put("family", json!(act.family));
    put("path", json!(act.path));
    Value::Object(fields)
}
